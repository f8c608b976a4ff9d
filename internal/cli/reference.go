package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

//go:generate go run ./reference ../../docs/commands.md

// WriteReference writes what --help says of every command, as Markdown.
func WriteReference(w io.Writer) error {
	model := newParser(&root{}, IO{Out: io.Discard, Err: io.Discard}, func(int) {}).Model
	var b strings.Builder
	b.WriteString("# Command line\n\n<!-- Made by `make generate` out of internal/cli. -->\n\n" + strings.TrimSpace(description) + "\n\n")
	b.WriteString("Answers go to stdout, everything else to stderr. A flag that names a variable can be set by it.\n\n")
	b.WriteString("| exit code | meaning |\n|---|---|\n")
	for code, meaning := range exitMeanings {
		fmt.Fprintf(&b, "| %d | %s |\n", code, meaning)
	}
	b.WriteString("\n## Flags of every command\n\n")
	listFlags(&b, model.Flags, true)
	for _, command := range model.Leaves(true) {
		fmt.Fprintf(&b, "\n## slipway %s\n\n%s\n", command.Name, command.Help)
		about, examples, _ := strings.Cut(command.Detail, "Examples:")
		if about = strings.TrimSpace(about); about != "" {
			fmt.Fprintf(&b, "\n%s\n", about)
		}
		if examples = strings.TrimSpace(examples); examples != "" {
			fmt.Fprintf(&b, "\n```sh\n%s\n```\n", strings.ReplaceAll(examples, "\n    ", "\n"))
		}
		b.WriteByte('\n')
		for _, argument := range command.Positional {
			fmt.Fprintf(&b, "- `%s`: %s\n", argument.Summary(), argument.Help)
		}
		listFlags(&b, command.Flags, false)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// listFlags lists the global flags, or a command's own.
func listFlags(b *strings.Builder, flags []*kong.Flag, global bool) {
	for _, flag := range flags {
		if flag.Hidden || flag.Name == "help" || (flag.Group != nil) != global {
			continue
		}
		name := "--" + flag.Name
		if !flag.IsBool() {
			name += "=" + flag.FormatPlaceHolder()
		}
		if flag.Short != 0 {
			name = fmt.Sprintf("-%c, %s", flag.Short, name)
		}
		fmt.Fprintf(b, "- `%s`: %s", name, strings.TrimSuffix(flag.Help, "."))
		for _, variable := range flag.Envs {
			fmt.Fprintf(b, " (`%s`)", variable)
		}
		b.WriteString(".\n")
	}
}
