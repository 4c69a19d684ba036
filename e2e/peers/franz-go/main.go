// One scenario with franz-go: franz-go SCENARIO, settings as JSON on standard input. Ends with status 0 when it went as
// it should; `refused` prints the class of the client's error.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

type settings struct {
	Bootstrap   string
	CA          string
	Mechanism   string
	User        string
	Password    string
	Certificate string // PEM with key and chain
	Topic       string
	Group       string
}

var scenarios = map[string]func(context.Context, settings) error{
	"produce":     produce,
	"round_trip":  roundTrip,
	"idempotent":  idempotent,
	"group":       group,
	"admin":       admin,
	"times":       times,
	"refused":     refused,
	"no_rule":     noRule,
	"group_rule":  groupRule,
	"create_rule": createRule,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 || scenarios[os.Args[1]] == nil {
		return errors.New("usage: franz-go SCENARIO < settings.json")
	}
	var s settings
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	return scenarios[os.Args[1]](ctx, s)
}

// client makes a client with the transport and login of the settings.
func client(s settings, more ...kgo.Opt) (*kgo.Client, error) {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", s.CA)
	}
	config := &tls.Config{RootCAs: roots}
	if s.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(s.Certificate, s.Certificate)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(s.Bootstrap), kgo.DialTLSConfig(config), kgo.AllowAutoTopicCreation(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
	}
	switch login := (scram.Auth{User: s.User, Pass: s.Password}); s.Mechanism {
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(login.AsSha512Mechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(login.AsSha256Mechanism()))
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()))
	case "":
	default:
		return nil, fmt.Errorf("mechanism %q", s.Mechanism)
	}
	return kgo.NewClient(append(options, more...)...)
}

// class names an error as franz-go and Go's standard library do.
func class(err error) string {
	var broker *kerr.Error
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var alert tls.AlertError
	switch {
	case errors.As(err, &broker):
		return broker.Message
	case errors.As(err, &authority):
		return "x509.UnknownAuthorityError"
	case errors.As(err, &host):
		return "x509.HostnameError"
	case errors.As(err, &alert):
		return "tls.AlertError " + alert.Error()
	case err != nil && strings.Contains(err.Error(), "remote error: tls: "):
		return err.Error()[strings.Index(err.Error(), "remote error: tls: "):]
	}
	return fmt.Sprintf("%T %v", err, err)
}

// expect fails unless the error is of that class.
func expect(wanted string, err error) error {
	if err == nil || class(err) != wanted {
		return fmt.Errorf("expected %s, got %s", wanted, class(err))
	}
	return nil
}

// refused prints the class of the error that a first request ends with.
func refused(ctx context.Context, s settings) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	c, err := client(s)
	if err != nil {
		return err
	}
	defer c.Close()
	started := time.Now()
	err = c.Ping(ctx)
	if err == nil {
		return errors.New("it was not refused")
	}
	if time.Since(started) > 10*time.Second {
		return fmt.Errorf("only after %v: %w", time.Since(started), err)
	}
	fmt.Println(class(err))
	return nil
}
