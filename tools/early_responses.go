// A server of Go's net/http that answers a POST before its body is read, as new-api does.
//
//	early_responses early|limited STATUS [CERTIFICATE KEY]
//
// "early" reads nothing; "limited" reads 1 MB and then answers. Prints its port; GET /posts counts.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
)

const said = `{"error": {"message": "said before the body was read", "code": ""}}`

func main() {
	status, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	var posts int64
	http.HandleFunc("/posts", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, atomic.LoadInt64(&posts))
	})
	http.HandleFunc("/v1/images/generations", func(w http.ResponseWriter, r *http.Request) {
		atomic.AddInt64(&posts, 1)
		if os.Args[1] == "limited" {
			io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20))
		}
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "70")
		}
		w.WriteHeader(status)
		io.WriteString(w, said)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if len(os.Args) > 3 {
		panic(http.ServeTLS(listener, nil, os.Args[3], os.Args[4]))
	}
	panic(http.Serve(listener, nil))
}
