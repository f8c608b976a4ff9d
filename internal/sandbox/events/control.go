package events

import (
	"encoding/json"
	"net/http"
)

// Knobs are what a sandbox can change of how events are delivered.
type Knobs struct {
	// Deliveries is how many times each event is delivered to each target, 1 to 10.
	Deliveries int `json:"deliveries"`
}

// Control answers GET and PUT with the knobs as they are from now on.
func (s *Service) Control(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		var knobs Knobs
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&knobs)
		if err == nil {
			err = s.SetDeliveries(knobs.Deliveries)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT")
		http.Error(w, "use GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Knobs{Deliveries: s.Deliveries()}) // the client may be gone
}
