package oid4vci

import (
	"context"
	"slices"

	"heartmark/schemas"
)

// Events of a notification (OpenID4VCI 1.0, 11.1).
const (
	EventAccepted = "credential_accepted"
	EventFailure  = "credential_failure"
	EventDeleted  = "credential_deleted"
)

// Notification is what a wallet says became of the issuance.
type Notification struct {
	ID    string
	Event string
}

// ParseNotification reads the body of a notification request. The free text in it is checked and dropped: nobody needs it,
// and it could hold anything.
func ParseNotification(body []byte) (Notification, error) {
	m, err := schemas.ParseObject(body)
	if err != nil {
		return Notification{}, fail(CodeInvalidNotification, "the body is not one JSON object")
	}
	id, ok := m["notification_id"].(string)
	if !ok || id == "" {
		return Notification{}, fail(CodeInvalidNotification, "notification_id is missing")
	}
	event, ok := m["event"].(string)
	if !ok || (event != EventAccepted && event != EventFailure && event != EventDeleted) {
		return Notification{}, fail(CodeInvalidNotification, "event: expected credential_accepted, credential_failure or credential_deleted")
	}
	if v, present := m["event_description"]; present {
		if s, isString := v.(string); !isString || s != printable(s) {
			return Notification{}, fail(CodeInvalidNotification, "event_description: expected printable ASCII")
		}
	}
	return Notification{ID: id, Event: event}, nil
}

// Notify records a notification; answer 204. The same one twice is no error.
func (s *Service) Notify(ctx context.Context, tenant string, a Access, n Notification) error {
	o, err := s.authenticate(ctx, tenant, endpointNotification, a)
	if err != nil {
		return err
	}
	find := func(o *OfferRecord) int {
		return slices.IndexFunc(o.Issued, func(i IssuedRecord) bool {
			return same([]byte(n.ID), []byte(s.notificationID(o.ID, i.Configuration)))
		})
	}
	unknown := fail(CodeInvalidNotificationID, "the notification_id is not one of this token")
	if find(&o) < 0 {
		return unknown
	}
	now := s.now()
	err = s.c.Store.UpdateOffer(ctx, o.ID, func(stored *OfferRecord) error {
		at := find(stored)
		if at < 0 {
			return unknown
		}
		if stored.Issued[at].Event != n.Event {
			stored.Issued[at].Event, stored.Issued[at].EventAt = n.Event, now
		}
		return nil
	})
	if err != nil {
		return storeError("record notification", err, badToken(""))
	}
	return nil
}
