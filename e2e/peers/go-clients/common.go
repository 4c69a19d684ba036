package main

// What every scenario needs: who is who, checks that say what was found, waiting with a limit.

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// identity is a client as clientconf.py prints it.
type identity struct {
	TLS       bool   `json:"tls"`
	SASL      bool   `json:"sasl"`
	Mechanism string `json:"mechanism"`
	Username  string `json:"username"`
	Password  string `json:"password"`
	CA        string `json:"ca"`
	Cert      string `json:"cert"`
}

var (
	bootstrap = os.Getenv("BOOTSTRAP")
	suffix    = rand.Text()[:10]
)

func name(stem string) string { return "kst-" + stem + "-" + suffix }

func read(variable string) (identity, error) {
	var who identity
	text := os.Getenv(variable)
	if text == "" {
		return who, fmt.Errorf("%s is not set", variable)
	}
	return who, json.Unmarshal([]byte(text), &who)
}

func owner() identity {
	who, err := read("CONFIG")
	if err != nil {
		panic(err)
	}
	return who
}

// changed is the owner with another mechanism or password.
func changed(mechanism, password string) (identity, error) {
	who := owner()
	if !who.SASL || who.Password == "" {
		return who, errors.New("the client has no password")
	}
	if mechanism != "" {
		who.Mechanism = mechanism
	}
	if password != "" {
		who.Password = password
	}
	return who, nil
}

func (who identity) tls() (*tls.Config, error) {
	if !who.TLS {
		return nil, nil
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(who.CA)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", who.CA)
	}
	config := &tls.Config{RootCAs: roots}
	if who.Cert != "" {
		pair, err := tls.LoadX509KeyPair(who.Cert, who.Cert)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// until waits for the probe to say yes.
func until(wait time.Duration, what string, probe func() (bool, error)) error {
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		done, err := probe()
		switch {
		case done:
			return nil
		case time.Now().After(end):
			return errors.Join(fmt.Errorf("not within %s: %s", wait, what), err)
		}
	}
}

// refused fails unless work ends in time with an error that is the wanted one.
func refused(wait time.Duration, wanted error, work func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	select {
	case err := <-ended:
		if !errors.Is(err, wanted) {
			return fmt.Errorf("expected %q, got %v", wanted, err)
		}
		return nil
	case <-time.After(wait):
		return fmt.Errorf("no answer within %s, expected %q", wait, wanted)
	}
}

func same[T comparable](wanted, found T, what string) error {
	if wanted != found {
		return fmt.Errorf("%s: expected %v, got %v", what, wanted, found)
	}
	return nil
}

func check(ok bool, what string, words ...any) error {
	if !ok {
		return fmt.Errorf(what, words...)
	}
	return nil
}

// restart has the server stopped and started again.
func restart() error {
	socket, err := net.Dial("unix", os.Getenv("RESTART"))
	if err != nil {
		return fmt.Errorf("RESTART: %w", err)
	}
	defer socket.Close()
	said, err := io.ReadAll(socket)
	if err != nil || string(said) != "ok" {
		return fmt.Errorf("no restart: %q %v", said, err)
	}
	return nil
}

// sessionLife is the time after which the server wants a proof again.
func sessionLife() (time.Duration, error) {
	life, err := strconv.Atoi(os.Getenv("SESSION_MS"))
	if err != nil || life <= 0 {
		return 0, errors.New("SESSION_MS is not set")
	}
	return time.Duration(life) * time.Millisecond, nil
}
