// Scenarios with sarama and with franz-go's kadm: go-clients [TEST..], TEST like `sarama/idempotent`; it may end in `*`.
//
// Every scenario runs in a process of its own, for 60 s at most, and prints PASS or FAIL, its name and the seconds.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const limit = 60 * time.Second

type scenario struct {
	name string
	run  func() error
}

var scenarios = slices.Concat(saramaScenarios, saramaAdminScenarios, kadmScenarios)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "--one" {
		if err := one(os.Args[2]); err != nil {
			fmt.Fprintln(os.NewFile(3, "verdict"), err)
			os.Exit(1)
		}
		return
	}
	os.Exit(all(os.Args[1:]))
}

func one(name string) error {
	for _, each := range scenarios {
		if each.name == name {
			return each.run()
		}
	}
	return fmt.Errorf("no such scenario")
}

func all(words []string) int {
	wanted := chosen(words)
	log, err := os.Create(filepath.Join(os.Getenv("CACHE"), "last-run.log"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer log.Close()
	jobs, _ := strconv.Atoi(os.Getenv("JOBS"))
	queue, passed := make(chan string), 0
	var lock sync.Mutex
	var workers sync.WaitGroup
	for range max(jobs, 1) {
		workers.Go(func() {
			for name := range queue {
				began := time.Now()
				err := alone(name, log)
				lock.Lock()
				if err == nil {
					passed++
					fmt.Printf("PASS %s %.3f\n", name, time.Since(began).Seconds())
				} else {
					fmt.Printf("FAIL %s %.3f\n    %s\n", name, time.Since(began).Seconds(), err)
				}
				lock.Unlock()
			}
		})
	}
	for _, name := range wanted {
		queue <- name
	}
	close(queue)
	workers.Wait()
	fmt.Printf("%d passed, %d failed\n", passed, len(wanted)-passed)
	if passed != len(wanted) || passed == 0 {
		return 1
	}
	return 0
}

func chosen(words []string) []string {
	if len(words) == 0 {
		words = []string{"*"}
	}
	var out []string
	for _, word := range words {
		hits := 0
		for _, each := range scenarios {
			start, wild := strings.CutSuffix(word, "*")
			if each.name == word || wild && strings.HasPrefix(each.name, start) {
				out, hits = append(out, each.name), hits+1
			}
		}
		if hits == 0 {
			out = append(out, word)
		}
	}
	return out
}

// alone runs a scenario in a process; its last words come over a pipe.
func alone(name string, log *os.File) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	command := exec.CommandContext(ctx, os.Args[0], "--one", name)
	command.Stdout, command.Stderr, command.ExtraFiles = log, log, []*os.File{write}
	err = command.Start()
	write.Close()
	if err != nil {
		return err
	}
	said := make([]byte, 600)
	count, _ := read.Read(said)
	err = command.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("not done within %s", limit)
	case err != nil && count > 0:
		return fmt.Errorf("%s", strings.Join(strings.Fields(string(said[:count])), " "))
	}
	return err
}
