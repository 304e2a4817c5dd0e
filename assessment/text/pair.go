package text

// Turn is one turn of the conversation before a message, in the model view.
type Turn struct {
	Self bool // written by the author of the message
	Text string
}

// Limits of the form that the classifier reads (assessment design, section 3).
const (
	MaxContext = 96 // tokens of context, marks of the turns included
	MaxMessage = 96 // tokens of the message
)

// Single returns <s> message </s>. Cut tells that the message was longer than maxMessage: then its first two thirds of
// the limit and its last third stay.
func (t *Tokenizer) Single(message string, maxMessage int) (ids []int64, cut bool) {
	return t.pair(nil, message, 0, maxMessage)
}

// EncodePair returns <s> ([self]|[other] turn)* </s> message </s> in model ids; without turns it is the single form.
// A context over maxContext loses its old end, a message over maxMessage its middle.
func (t *Tokenizer) EncodePair(context []Turn, message string, maxContext, maxMessage int) []int64 {
	ids, _ := t.pair(context, message, maxContext, maxMessage)
	return ids
}

func (t *Tokenizer) pair(context []Turn, message string, maxContext, maxMessage int) ([]int64, bool) {
	out := make([]int64, 0, maxContext+maxMessage+3)
	out = append(out, IDBegin)
	if len(context) > 0 {
		out = t.appendContext(out, context, maxContext)
		out = append(out, IDEnd)
	}
	ids := t.Encode(message)
	cut := len(ids) > maxMessage
	if cut {
		head := maxMessage * 2 / 3
		out = appendIDs(out, ids[:head])
		ids = ids[len(ids)-(maxMessage-head):]
	}
	return append(appendIDs(out, ids), IDEnd), cut
}

func (t *Tokenizer) appendContext(out []int64, context []Turn, limit int) []int64 {
	kept := make([][]int32, len(context))
	first := len(context)
	for i := len(context) - 1; i >= 0 && limit >= 2; i-- {
		ids := t.Encode(context[i].Text)
		if len(ids) > limit-1 {
			ids = ids[len(ids)-(limit-1):]
		}
		kept[i], first = ids, i
		limit -= len(ids) + 1
	}
	for i := first; i < len(context); i++ {
		mark := int64(IDOther)
		if context[i].Self {
			mark = IDSelf
		}
		out = appendIDs(append(out, mark), kept[i])
	}
	return out
}

func appendIDs(out []int64, ids []int32) []int64 {
	for _, id := range ids {
		out = append(out, int64(id))
	}
	return out
}
