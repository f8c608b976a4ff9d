package protocol

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// timeTag is CBOR's tag of a time in epoch seconds.
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.2
const timeTag = 1

// serveCBOR answers an rpcv2Cbor request.
func serveCBOR(w http.ResponseWriter, r *http.Request, next http.Handler, target string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		sendCBOR(w, refusal(err))
		return
	}
	document := []byte("{}")
	if len(body) > 0 { // an operation without input has none
		value, err := cbor.Decode(body)
		if err == nil {
			document, err = json.Marshal(toJSON(value))
		}
		if err != nil {
			sendCBOR(w, refusal(err))
			return
		}
	}
	sendCBOR(w, call(r, next, target, document))
}

func refusal(err error) *awsjson.Answer {
	answer := awsjson.NewAnswer()
	awsjson.WriteError(answer, &awsjson.Error{Code: "SerializationException", Message: err.Error()})
	return answer
}

// sendCBOR sends an awsJson answer as CBOR. Clients that once spoke awsQuery
// read an error's code from a header of their own.
func sendCBOR(w http.ResponseWriter, answer *awsjson.Answer) {
	if code := answer.Header().Get("X-Amzn-ErrorType"); code != "" {
		answer.Header().Set("X-Amzn-Query-Error", code+";Sender")
	}
	answer.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	answer.Header().Set("Content-Type", "application/cbor")
	answer.Convert(func(document []byte) []byte {
		decoder := json.NewDecoder(bytes.NewReader(document))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil { // the answers are our own
			value = map[string]any{}
		}
		return cbor.Encode(toCBOR("", value))
	})
	answer.Send(w)
}

// toJSON is a CBOR value as encoding/json takes it.
func toJSON(value cbor.Value) any {
	switch v := value.(type) {
	case cbor.Map:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = toJSON(member)
		}
		return members
	case cbor.List:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = toJSON(item)
		}
		return items
	case *cbor.Tag: // a time
		return toJSON(v.Value)
	case cbor.Uint:
		return uint64(v)
	case cbor.NegInt:
		return json.Number(fmt.Sprintf("-%d", uint64(v)))
	case cbor.Float32:
		return float32(v)
	case cbor.Float64:
		return float64(v)
	case cbor.String:
		return string(v)
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v)
	case cbor.Bool:
		return bool(v)
	default:
		return nil
	}
}

// toCBOR is a JSON value as CBOR; name is that of the member that has it. JSON
// has no times: in CloudWatch's model each is named so.
func toCBOR(name string, value any) cbor.Value {
	switch v := value.(type) {
	case map[string]any:
		members := make(cbor.Map, len(v))
		for name, member := range v {
			members[name] = toCBOR(name, member)
		}
		return members
	case []any:
		items := make(cbor.List, len(v))
		for i, item := range v {
			items[i] = toCBOR(name, item)
		}
		return items
	case json.Number:
		if strings.HasSuffix(name, "Timestamp") {
			seconds, _ := v.Float64() // of a number that was just parsed
			return &cbor.Tag{ID: timeTag, Value: cbor.Float64(seconds)}
		}
		return number(v)
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	default:
		return &cbor.Nil{}
	}
}

// number is a whole number, or a fraction.
func number(n json.Number) cbor.Value {
	whole, err := n.Int64()
	switch {
	case err == nil && whole >= 0:
		return cbor.Uint(whole)
	case err == nil && whole > math.MinInt64:
		return cbor.NegInt(-whole)
	default:
		fraction, _ := n.Float64()
		return cbor.Float64(fraction)
	}
}
