//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ask runs a program in a folder, gives it the query, and returns what it answers.
// An error says what the program printed to stderr, or what is wrong with its answer.
func ask(ctx context.Context, program []string, dir string, query map[string]string) (map[string]string, error) {
	if len(program) == 0 {
		return nil, errors.New("program names no program")
	}
	if query == nil {
		query = map[string]string{}
	}
	stdin, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(stdin), &complaint
	stdout, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", program[0], err, strings.TrimSpace(complaint.String()))
	}
	var result map[string]string
	if err := json.Unmarshal(stdout, &result); err != nil {
		return nil, fmt.Errorf("%s answered no JSON object of strings: %w: %s", program[0], err, stdout)
	}
	if result == nil {
		return nil, fmt.Errorf("%s answered no JSON object: %s", program[0], stdout)
	}
	return result, nil
}
