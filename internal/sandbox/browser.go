package sandbox

import "net/http"

// noBrowsers refuses what a web page asks for, other than to read: whoever reaches
// the sandbox may have it run programs, and a page that a developer looks at
// reaches loopback. Browsers say where such a request comes from, and no client
// of AWS's or git's does.
func noBrowsers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !safe && (r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "") {
			http.Error(w, "the sandbox takes no requests from web pages", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
