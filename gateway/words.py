"""A digest as four plain words, to compare by eye between card, terminal and page.

Ten bits a word, forty in all: enough to tell commands apart at a glance. What an approval binds to is the whole
digest, never the words. The list is part of the contract with everybody's eyes: it is not to be reordered.
"""

from __future__ import annotations

COUNT = 4
BITS = 10


def words(digest: str) -> str:
    """Four words for a SHA-256 in hex: `agate-fern-lion-plum`. Raises `ValueError` where it is not one."""
    if len(digest) != 64:
        raise ValueError("a digest is 64 hexadecimal digits")
    number = int(digest, 16) >> (256 - COUNT * BITS)
    places = (number >> BITS * (COUNT - 1 - place) & (1 << BITS) - 1 for place in range(COUNT))
    return "-".join(WORDS[place] for place in places)


_LIST = """
acid acorn actor adult agate alarm album algae alley almond aloe alpha anchor angel ankle antler anvil
apple apron arch arctic arena armor ash aspen atlas atom attic auburn aunt autumn axis azure baby badger
bagel baker balcony bamboo banana banjo barley baron barrel basin basket bat beacon bean beard beaver bee
beetle belt bench bike birch bird biscuit bison black blanket blast blaze bloom blossom boar bobcat bonus
boot border bottle bottom boulder bracket brass brave bread breeze bright brisk bronze brook brother
brush bubble bucket buckle buffalo bugle bundle bunny burger bus butter button cabin cable cactus calf
camel camera camp canal candle candy canoe canvas canyon captain caramel card cargo carpet carve cashew
castle cattle cedar ceiling celery cellar cello cement cereal chain chalk chapel charm chart cheese
cherry chess chest chestnut chicken chief child chimney chip chisel choir cider cinema circle circus city
clam clay clean clerk cliff cloak cloth cloud clover club coach coal coast cobalt cobra cocoa coconut
coffee coin cold collar colony color comet comic compass concert cone cook cookie copper coral cork
corner cosmic cotton couch cougar country court cousin cow coyote crab cradle crane crater crayon cream
creek crew cricket crimson crisp crown crumb crystal cube cuckoo cup curry curtain cushion cycle cymbal
daisy dance dancer dart dawn day deer delta denim dentist desert desk dew diamond diary dinner dish diver
doctor dog doll dolphin dome donkey door dough dove dragon drama drawer dream dress drift drill drum duck
duke dune dust eagle earth easel echo eel egg elbow elder elk elm ember emerald empire energy engine
eraser essay evening exam eye fabric face falcon fall family fan farm farmer father feast fern ferry
fiber fiddle field fig film finch fire fish flag flame flannel flask fleet flint float flock flood flour
flower flute fly foam focus foil folk forest fort fossil fountain fox frame fresh friend frog frost fruit
fudge funnel fur galaxy gallery game garage garden garlic gazelle gear gecko genius gentle geyser giant
gift ginger giraffe glacier glad glass globe glory glue goat golf gong goose gopher gorilla gown grain
granite grape graph gravel gravy green grill ground grove guard guest guide guitar gull gum gym habit
hair hammer hamster hand happy harbor harp harvest hawk hay hazel head heart hedge helmet hemp hen herb
heron hill hinge hippo hobby hockey holly honest honey hoop horizon horn horse hotel hour humble hunter
husky hut ice icicle icon idea igloo indigo infant inn insect iris iron island ivory ivy jacket jade
jaguar jar jasmine jazz jeans jelly jester jet jewel jigsaw jockey joke journey judge juice jumbo jungle
junior jury kale kayak kernel kettle kidney king kiosk kite kitten kiwi knee knife knight knot koala
ladder lady lagoon lake lamb lantern laptop lark laser lasso laundry lava lawn lawyer leaf leather lemon
lens lentil leopard letter lever library lid light lilac lily lime linen lion lip lizard llama loaf lobby
lobster lodge log lotus loud lucky lumber lunar lunch lynx lyric magenta magic magnet mail mammal mango
mantis map maple marble mare marina market maroon marsh mask mason match maze meadow melody melon memory
menu mercury mesh metal meteor metro mice middle midnight mill mineral mint mirror mist mitten moat mocha
model moment monkey month moon mop morning mosaic moss moth mother motor mound mouse movie mud muffin
mule mural muscle museum mushroom music mustard mystic napkin narrow nature navy neck nectar needle neon
nephew nerve nickel noble noise noodle north note novel nugget nurse nut nylon oak oasis oboe ocean
octave office olive omega onion onyx opal opera orange orbit orchid organ osprey ostrich otter oval oven
owl oxygen oyster ozone pacific paddle page paint palace palm pancake panda panel panther papaya paper
parade parcel parrot parsley party pasta pastry path patrol pavilion peach peacock peak peanut pearl
pebble pecan pedal pelican pen pencil penguin penny pepper phone photo piano picnic pigeon pillow pilot
pink pioneer pipe pirate pizza plain planet plank plate plaza plum pocket poem poet pole pollen polo pond
pony poodle poplar poppy porch potato potter powder prairie prince print prism prize proud pudding puffin
pulley puma pump pumpkin pupil puppet purple purse puzzle pyramid python quail quartz queen quick quiet
quill quiver rabbit raccoon race radar radio radish raft rain raisin ram ranch raven razor red reef regal
relay remote reptile resin rhino rhythm ribbon rider ridge ring ripple road robin robot rock rocket rodeo
roof room rooster rope rose rough rover royal ruby rudder rug ruler runner rural rust saddle safari
saffron salad salmon salt sand sandal sapphire sardine satin sauce sauna scale scarf scarlet school
science scooter scout scroll season seat senior shadow sharp shed sheep shelf shell shepherd shield ship
shirt shoe shore shovel shrimp shrub silent silk silver singer siren sister skate sketch ski skirt skunk
sled sleep sleeve slipper slope smile smoke smooth snail snake snow soap soccer sock soda soft soil solar
soldier song sonic soup south spade spark sparrow spear sphere spice spider spinach spiral spoon sport
spring spruce spy square squash squid stable stadium stage stair stamp star statue steel stem step stick
stone stool storm story stove straw stream street string studio sugar suit summer summit sun sunset surf
swallow swamp swan sweater sweet swift swim sword syrup tablet tailor talent tango tank tape target taxi
tea teacher teal teapot temple tennis tent theater thimble thistle thorn thread throne thumb thunder
ticket tie tiger tile timber tiny toad toast toffee tomato tooth topaz torch tortoise totem toucan tower
town toy tractor trail tray treasure tree triangle tribe trophy trout truck trumpet trunk tuba tulip tuna
tundra tunnel turban turkey turnip turtle tutor tuxedo twig twin umbrella uncle unicorn uniform union
urban urchin vanilla vapor vase vault velvet vendor venus vessel vest violet violin visitor vivid voice
volcano volley voyage vulture waffle wagon waiter walnut walrus warm wasp water wave wax weasel weather
web wedge well west whale wheat wheel whisker whistle white wide willow wind window winter wizard wolf
wombat wood wool world wren wrist yacht yam yarn year yeast yellow yoga yogurt zebra zenith zero zigzag
zinc zipper
"""
WORDS = tuple(_LIST.split())
