package api

import (
	"net/http"

	"heartmark/internal/qrcode"

	"github.com/labstack/echo/v4"
)

// walletRoutes are OpenID4VCI 1.0 and its authorization server. A well-known document stands in its inserted place (12.2.2;
// RFC 8414, 3) and, since clients ask there too, below the issuer's own path.
func (s *server) walletRoutes() []Route {
	document := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: path, Time: quick, Access: Public, Cache: Shared, Dialect: Problems, CORS: true,
			Rate: RateReads, handler: h,
		}
	}
	call := func(path string, access Access, body int64, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodPost, Path: "/oid4vci/:issuer" + path, Body: body, Time: normal, Access: access, Cache: NoStore, Dialect: OAuth,
			CORS: true, Rate: RateWallets, handler: h,
		}
	}
	offer := func(path string, h echo.HandlerFunc) Route {
		return Route{
			Method: http.MethodGet, Path: "/oid4vci/:issuer/offers/:ref" + path, Time: normal, Access: Public, Cache: NoStore, Dialect: Problems,
			CORS: true, Rate: RateWallets, handler: h,
		}
	}
	page := func(method, path string, body int64, h echo.HandlerFunc) Route {
		return Route{
			Method: method, Path: path, Body: body, Time: normal, Access: Public, Cache: NoStore, Dialect: Pages, Rate: RateWallets, handler: h,
		}
	}
	issuer, server := s.issuing.IssuerMetadata, s.issuing.ServerMetadata
	return []Route{
		document("/.well-known/openid-credential-issuer/oid4vci/:issuer", issuer),
		document("/oid4vci/:issuer/.well-known/openid-credential-issuer", issuer),
		document("/.well-known/oauth-authorization-server/oid4vci/:issuer", server),
		document("/.well-known/oauth-authorization-server/oid4vci/:issuer/", server),
		document("/oid4vci/:issuer/.well-known/oauth-authorization-server", server),
		document("/.well-known/openid-configuration/oid4vci/:issuer", server),
		document("/oid4vci/:issuer/.well-known/openid-configuration", server),
		offer("", s.issuing.OfferByReference),
		offer("/qr.png", s.issuing.OfferPicture("image/png", qrcode.PNG)),
		offer("/qr.svg", s.issuing.OfferPicture("image/svg+xml", qrcode.SVG)),
		page(http.MethodGet, "/oid4vci/:issuer/offers/:ref/page", 0, s.issuing.OfferPage),
		call("/par", Public, bodySmall, s.issuing.Push),
		page(http.MethodGet, "/oid4vci/:issuer/authorize", 0, s.issuing.Authorize),
		page(http.MethodPost, "/oid4vci/:issuer/authorize", bodySmall, s.issuing.Decide),
		page(http.MethodGet, "/oid4vci/:issuer/authorize/login", 0, s.issuing.Login),
		page(http.MethodGet, "/login/callback", 0, s.issuing.LoginCallback),
		call("/token", Public, bodySmall, s.issuing.Token),
		call("/nonce", Public, bodySmall, s.issuing.Nonce),
		call("/challenge", Public, bodySmall, s.issuing.Challenge),
		call("/credential", WithToken, bodyDefault, s.issuing.Credential),
		call("/deferred", WithToken, bodySmall, s.issuing.Deferred),
		call("/notification", WithToken, bodySmall, s.issuing.Notification),
	}
}
