// An empty program: what any Go program pays before its first line.
package main

func main() {}
