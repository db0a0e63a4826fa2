// SPDX-License-Identifier: BSD-3-Clause

// Command gallery photographs the page for networks of every kind, for people to
// look at before a release: make gallery. It runs traceflow on networks in memory
// and on networks of kernels, draws the page of each result in headless Chromium,
// and writes the pictures beside an index.html that says what is to be seen in
// each. A result that shows anything else is an error.
//
// To add a picture: a line in photos.go, and where no network that is built in
// has what it is to show, one in testdata.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

func main() {
	var g gallery
	flag.StringVar(&g.traceflow, "traceflow", "./traceflow", "the `file` to run")
	flag.StringVar(&g.lab, "lab", ".tools/lab", "the `file` that builds networks of kernels")
	flag.StringVar(&g.out, "out", "dist/gallery", "the `folder` to write to")
	flag.StringVar(&g.images, "images", "docs/images", "the `folder` for the pictures that documents show")
	only := flag.String("only", "", "draw the pictures whose names match a regular `expression`, and no index")
	flag.Parse()
	if err := g.run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// gallery is where programs and pictures are.
type gallery struct{ traceflow, lab, out, images string }

func (g *gallery) run(only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	for _, file := range []*string{&g.traceflow, &g.lab, &g.out} {
		if *file, err = filepath.Abs(*file); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(g.out, 0o755); err != nil {
		return err
	}
	camera, err := openCamera()
	if err != nil {
		return err
	}
	defer camera.close()
	var drawn []photo
	var wrong []error // what does not show what it is to show
	for _, n := range networks {
		photos := n.matching(match)
		if len(photos) == 0 {
			continue
		}
		result, err := g.trace(&n)
		if errors.Is(err, errNotAllowed) {
			fmt.Println(err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		if err := n.check(result); err != nil {
			wrong = append(wrong, fmt.Errorf("%s %w", n.name, err))
		}
		if err := g.draw(camera, &n, result, photos); err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		drawn = append(drawn, photos...)
	}
	if only == "" {
		index := filepath.Join(g.out, "index.html")
		if err := writeIndex(index, drawn); err != nil {
			return err
		}
		fmt.Println("look at", index)
	}
	return errors.Join(wrong...)
}

// draw writes the page of a result and photographs it.
func (g *gallery) draw(c *camera, n *network, result []byte, photos []photo) error {
	page := filepath.Join(g.out, n.name+".html")
	write := func() error { return g.page(result, page) }
	if n.after != "" {
		write = func() error { return g.difference(n, page) }
	}
	if err := write(); err != nil {
		return err
	}
	for i := range photos {
		p := &photos[i]
		png, err := c.shoot(page, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(g.out, p.file()), png, 0o644); err != nil {
			return err
		}
		if p.document {
			small, err := reduce(png)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(g.images, p.file()), small, 0o644); err != nil {
				return err
			}
		}
		fmt.Println(p.name)
	}
	return nil
}
