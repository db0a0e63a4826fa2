// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	_ "embed"
	"html/template"
	"os"
)

//go:embed index.html.tmpl
var indexText string

var indexPage = template.Must(template.New("index").Parse(indexText))

// entry is a picture as the index shows it.
type entry struct {
	Name, File, Page, Title, Caption string
	Width, Height                    int64
}

// writeIndex writes the page that shows all pictures with what is to be seen.
func writeIndex(path string, pictures []photo) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	entries := make([]entry, len(pictures))
	for i := range pictures {
		p := &pictures[i]
		entries[i] = entry{p.name, p.file(), p.of.name + ".html#" + p.view, p.title, p.of.caption(), p.width, p.height}
	}
	if err := indexPage.Execute(f, entries); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
