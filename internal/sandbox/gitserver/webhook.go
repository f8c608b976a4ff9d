package gitserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// webhookTimeout is how long a receiver may take to answer.
const webhookTimeout = 10 * time.Second

// deliver posts an update to every webhook, once: like the forges, and unlike a
// queue, it does not try again. The caller holds the lock.
func (r *Repository) deliver(update Update) {
	if r.ctx.Err() != nil {
		return // closed
	}
	for _, url := range r.webhooks {
		r.deliveries.Go(func() {
			if err := r.post(r.ctx, url, update); err != nil {
				r.logger.Warn("a webhook was not delivered", "url", url, "ref", update.Ref, "error", err)
			}
		})
	}
}

func (r *Repository) post(ctx context.Context, url string, update Update) error {
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	body, err := json.Marshal(update)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the receiver answered %s", res.Status)
	}
	return nil
}
