"""Some hundred ordinary searches: what an unrelated query looks like, where a calibration is measured.

They tell of many subjects, so that of any collection nearly all pairs of one of them and an item are unrelated.
"""

from __future__ import annotations

from typing import Final

QUERIES: Final = tuple(
    query.strip()
    for query in """
a red sports car | birthday cake with candles | mountain lake at sunrise | how to change a tyre | my passport
children in a swimming pool | the meeting about the budget | cat on a sofa | guitar solo | old family portrait
traffic jam at night | receipt from the hardware store | sunflowers | a man giving a speech | football match
wedding dance | someone laughing | snowy street | kitchen renovation | train arriving at a station | pizza
ocean waves | a woman reading a book | thunder | whiteboard with a diagram | bicycle leaning against a wall
dog running on grass | airport departure board | baby's first steps | castle ruins | cup of coffee | yellow umbrella
rental contract | horse jumping over a fence | street musician | fireworks | autumn leaves | phone number of the plumber
skyscrapers | a bowl of fruit | doctor's appointment | two people shaking hands | boat in a harbour | tomato soup recipe
bird singing | crowd at a concert | desert road | grandmother's garden | handwriting | helicopter | rainbow
tax declaration | yoga class | cows on a meadow | a broken window | map of the city | piano lesson | surfing
the end of the project | christmas tree | lightning over the sea | old truck | a girl with a balloon | knife and fork
engine noise | screenshot of an error message | waterfall in the forest | basketball player | bridge over a river
green dress | interview with a scientist | sheep | church bells | playground | camping tent | serial number
hands typing on a keyboard | sailing boat | a crying baby | market stall with vegetables | ski lift | black and white photo
price list | penguin | rock climbing | empty office | hotel room | construction site | butterfly on a flower
discussion about the weather | ballet dancer | motorcycle race | painting of a ship | a bottle of wine | school class
telephone ringing | person with glasses | sunset behind palm trees | roof of a house | tiger | frozen pond
elevator | washing machine manual | picnic in the park | graffiti on a wall | news report | candle light dinner
parrot | tractor in a field | hospital corridor | carnival mask | bakery window | satellite image | drum set
lost key | bus stop | strawberry | a smiling man | robot | the password was changed | stone statue | chess board
""".replace("\n", " | ").split("|")
    if query.strip()
)
"""Made for this; no data set of queries lies behind it."""
