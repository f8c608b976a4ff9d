package dataplane

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"sync"
)

// LoadBalancer is a load balancer with one listener.
type LoadBalancer struct {
	Name     string
	Protocol Protocol
	// Address is the host:port to listen on; port 0 chooses one.
	Address string
	// ListenerRule is the ARN under which ECS knows what follows: that of a rule,
	// or with TCP that of the listener itself. Empty if it is not to be shifted.
	ListenerRule string
	Forward      []Forward
}

// Forward is a target group's share of a listener's new requests: its weight
// by the sum of all weights. Weight 0 gets none.
type Forward struct {
	TargetGroupARN string
	Weight         int
}

// loadBalancer is a LoadBalancer that listens.
type loadBalancer struct {
	plane    *Plane
	protocol Protocol
	rule     string

	mu     sync.Mutex
	shares []*share
}

// share is a Forward whose turn comes when its credit is the highest.
type share struct {
	group  *targetGroup
	weight int
	credit int
}

// Listen starts a load balancer and returns the address that it listens on. It
// goes on until the plane is closed.
func (p *Plane) Listen(ctx context.Context, spec LoadBalancer) (address string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", spec.Address)
	if err != nil {
		return "", err
	}
	if err := p.balance(listener, spec); err != nil {
		_ = listener.Close()
		return "", err
	}
	return listener.Addr().String(), nil
}

func (p *Plane) balance(listener net.Listener, spec LoadBalancer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return errors.New("the data plane is closed")
	}
	if p.balancers[spec.Name] != nil {
		return fmt.Errorf("there is a load balancer %s already", spec.Name)
	}
	b := &loadBalancer{plane: p, protocol: spec.Protocol, rule: spec.ListenerRule}
	if err := b.forward(spec.Forward); err != nil {
		return err
	}
	p.balancers[spec.Name] = b
	if b.protocol == TCP {
		p.start(func() { b.serveTCP(p.ctx, listener) })
	} else {
		p.start(func() { b.serveHTTP(p.ctx, listener) })
	}
	return nil
}

// SetForward changes where a load balancer sends new requests and connections.
// Those that are open stay where they are.
func (p *Plane) SetForward(name string, forward ...Forward) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.balancers[name]
	if b == nil {
		return fmt.Errorf("there is no load balancer %s", name)
	}
	return b.forward(forward)
}

// forward sets the shares. The caller holds the plane's lock.
func (b *loadBalancer) forward(forward []Forward) error {
	var shares []*share
	for _, f := range forward {
		group := b.plane.groups[f.TargetGroupARN]
		if group == nil {
			return fmt.Errorf("there is no target group %s", f.TargetGroupARN)
		}
		if group.Protocol != b.protocol {
			return fmt.Errorf("target group %s speaks %s, the load balancer %s", f.TargetGroupARN, group.Protocol, b.protocol)
		}
		if f.Weight < 0 {
			return fmt.Errorf("the weight %d of target group %s is negative", f.Weight, f.TargetGroupARN)
		}
		if f.Weight > 0 {
			shares = append(shares, &share{group: group, weight: f.Weight})
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shares = shares
	return nil
}

// choose returns the target group whose turn it is, or nil when none has a
// weight. Turns are spread evenly: of weights 3 and 1, every fourth is the
// second's. A group without healthy targets keeps its turns, as with ELB.
func (b *loadBalancer) choose() *targetGroup {
	b.mu.Lock()
	defer b.mu.Unlock()
	var best *share
	total := 0
	for _, s := range b.shares {
		total += s.weight
		s.credit += s.weight
		if best == nil || s.credit > best.credit {
			best = s
		}
	}
	if best == nil {
		return nil
	}
	best.credit -= total
	return best.group
}

// targets yields healthy targets for one request, one after the other, until one
// of them can be reached. It yields none when none is healthy.
func (b *loadBalancer) targets() iter.Seq[*target] {
	return func(yield func(*target) bool) {
		group := b.choose()
		if group == nil {
			return
		}
		var tried []*target
		for t := group.pick(tried); t != nil; t = group.pick(tried) {
			more := yield(t)
			t.sent.Done()
			if !more {
				return
			}
			tried = append(tried, t)
		}
	}
}
