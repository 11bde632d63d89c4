module twinhull.dev/tests/guest/conformance

go 1.26
