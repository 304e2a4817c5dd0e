package registryapi

import (
	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
)

// Framework is GET /registry/v1/framework: the rules under which this registry grants authorities.
func (h *Handler) Framework(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	rule := func(id, en, zh string) FrameworkRule {
		return FrameworkRule{ID: id, Text: map[string]string{"en": en, "zh": zh}}
	}
	return h.public(c, Framework{
		ID:   h.Origin + "/registry/v1/framework",
		Name: map[string]string{"en": "Governance framework of this registry", "zh": "本登记簿的治理规则"},
		Rules: []FrameworkRule{
			rule("control", "An issuer is recorded only after a fresh signature, made for this registry, with a key that its DID document lists.",
				"颁发者须用其 DID 文档所列密钥为本登记簿作出新的签名后，方可登记。"),
			rule("scope", "An authority names one action and one resource, from a day on and, where stated, until a day; it covers nothing else.",
				"每项权限仅针对一种行为和一种资源，自某日起生效，如有注明则至某日为止；不包含其他内容。"),
			rule("history", "Nothing is overwritten. A change closes one statement and opens another, and both stand in the transparency log.",
				"任何内容都不会被覆盖。变更会结束原声明并开启新声明，两者均记入透明日志。"),
			rule("withdrawal", "A withdrawal is for good. It may take effect earlier than it was recorded, and the record says both times.",
				"撤回不可恢复。其生效时间可以早于登记时间，记录中会同时写明。"),
			rule("privacy", "The registry holds statements about organisations, keys and documents, and nothing about a person. Look-ups are not recorded.",
				"登记簿只包含关于机构、密钥和文档的声明，不含任何个人信息。查询不会被记录。"),
			rule("evidence", "A credential that was issued appears in the log only as a commitment that nobody can connect with it without holding it.",
				"已颁发的凭证在日志中仅以承诺值出现，未持有该凭证的人无法将两者关联。"),
		},
	})
}
