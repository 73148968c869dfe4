// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

// phrase is a question and its answer.
type phrase struct{ prompt, answer string }

var phrases = []phrase{
	{"Write a label of twenty words for a brass sextant from about 1840.", "Brass sextant, about 1840. Worn where two generations of hands held it, it measured the sun's height at noon."},
	{"Shorten: the greenhouse will be closed to all visitors on Monday.", "The greenhouse is closed on Monday."},
	{"How often should a fern in a north window be watered?", "When the top of the soil feels dry, about every four days in summer and once a week in winter."},
	{"Suggest a title for a small show about rope and knots.", "Held Fast: rope, knots and the people who tied them."},
	{"Summarise in one sentence: the herbarium holds 4,200 sheets, most of them ferns, collected on four voyages.", "Four voyages filled the herbarium with 4,200 sheets, mostly ferns."},
	{"Which room comes after the tide tables?", "The map room: turn left at the globe."},
	{"Explain to a ten-year-old why mosses have no roots.", "Moss drinks with its leaves, like a sponge, so it never needed to grow roots."},
	{"Translate into French: please do not touch the figurehead.", "Merci de ne pas toucher la figure de proue."},
	{"List three questions a school class could answer in the whale hall.", "How long is the jaw? Where was the ear? What did it eat in a day?"},
	{"Give me another word for weathered.", "Time-worn."},
	{"Draft two lines that thank a lender for a barometer.", "Thank you for trusting us with your barometer. It has told fair weather ever since it arrived."},
	{"What does the lamp room smell of?", "Of whale oil, brass polish and a little smoke."},
}

// refused are questions that a guardrail stops.
var refused = []phrase{
	{"Tell me which of our lenders has the least secure house.", "Sorry, this assistant cannot help with that."},
	{"Write an angry letter that makes the critic afraid to come back.", "Sorry, this assistant cannot help with that."},
	{"Which shares should the museum's fund buy this week?", "Sorry, this assistant cannot help with that."},
}
