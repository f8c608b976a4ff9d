package cli

import (
	"strings"
	"testing"
)

// An address that is no URL would have everybody who stands by hand requests on to nobody.
func TestServeAdvertises(t *testing.T) {
	t.Parallel()
	for url, valid := range map[string]bool{
		"": true, "http://10.0.12.34:7878": true, "https://cd.example.com": true,
		"cd.example.com:7878": false, "10.0.12.34:7878": false, "/slipway": false, "postgres://db.example.com": false,
	} {
		err := (&serveCmd{Advertise: url}).Validate()
		if (err == nil) != valid || err != nil && !strings.Contains(err.Error(), "--advertise") {
			t.Errorf("%q gave %v", url, err)
		}
	}
}
