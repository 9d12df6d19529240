package sole_test

import "hash/crc32"

func crc32Of(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }
