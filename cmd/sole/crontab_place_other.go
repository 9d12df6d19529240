//go:build !linux

package main

func noPlace(string) string { return "" }
