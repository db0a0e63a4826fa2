// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"io/fs"
	"strings"

	"traceflow/testdata/topologies"
)

const ending = ".txtar"

// Builtin returns a network that is part of the program, by name.
func Builtin(name string) (*Topology, error) {
	data, err := fs.ReadFile(topologies.Files, name+ending)
	if err != nil {
		return nil, fmt.Errorf("no built-in topology %q; choose one of %s", name, strings.Join(BuiltinNames(), ", "))
	}
	return Parse(name+ending, data)
}

// BuiltinNames returns the names that Builtin knows, in order.
func BuiltinNames() []string {
	files, err := fs.Glob(topologies.Files, "*"+ending)
	if err != nil {
		panic("topology: bad pattern: " + err.Error())
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file, ending))
	}
	return names
}
