package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"traceflow/internal/picture/picturetest"
	"traceflow/render"
)

func TestZZWrite(t *testing.T) {
	dir := os.Getenv("ZZ")
	if dir == "" {
		t.Skip()
	}
	for _, n := range []string{"owners", "long-64", "long-255", "bar"} {
		os.WriteFile(dir+"/"+n+".html", []byte(pageOf(t, networkNamed(t, n))), 0o644)
	}
	os.WriteFile(dir+"/r500.html", []byte(pageOf(t, picturetest.Random(500, 1500))), 0o644)
	os.WriteFile(dir+"/empty.html", []byte("<!doctype html><html lang=en><meta charset=utf-8><title>x</title><body><p>Hello"), 0o644)
	h := pageOf(t, networkNamed(t, "long-255"))
	m := map[string]json.RawMessage{}
	json.Unmarshal([]byte(dataOfPage.FindStringSubmatch(h)[1]), &m)
	for k, v := range m {
		t.Log("long-255", k, len(v))
	}
	json.Unmarshal(m["drawing"], &m)
	for k, v := range m {
		t.Log("long-255 d", k, len(v))
	}
}

func BenchmarkZZ(b *testing.B) {
	tr := picturetest.Random(500, 1500)
	b.Run("r500", func(b *testing.B) {
		for b.Loop() {
			var o bytes.Buffer
			render.HTML(&o, tr, render.Options{})
		}
	})
	lt := networkNamed(&testing.T{}, "long-255")
	b.Run("long255", func(b *testing.B) {
		for b.Loop() {
			var o bytes.Buffer
			render.HTML(&o, lt, render.Options{})
		}
	})
}
