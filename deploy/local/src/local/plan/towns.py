"""The two municipalities: their departments and the workplaces in each."""

from dataclasses import dataclass
from functools import cached_property

from local.plan.chance import Chance

Place = tuple[str, str]


@dataclass(frozen=True)
class Town:
    """A municipality, and the workplaces of each department."""

    municipality: str
    name: str
    workplaces: dict[str, tuple[str, ...]]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every workplace, as department and unit."""
        return tuple((department, unit) for department, units in self.workplaces.items() for unit in units)

    def place(self, chance: Chance, *, but: Place | None = None) -> Place:
        """Any workplace, or any other."""
        return chance.choice([place for place in self.places if place != but])


def _units(kind: str, names: str) -> tuple[str, ...]:
    return tuple(f"{kind}-{name}" for name in names.split())


NOT_ELIGIBLE = "Rådhuskantinen"
KOLDING = Town(
    "621",
    "Kolding",
    {
        "Seniorområdet": (
            *_units(
                "Plejecenter", "Åhaven Vesterled Olivenhaven Toftegården Elim Munkensdam Kirsebærhaven Vonsildhave"
            ),
            *_units("Hjemmeplejen", "Nord Syd Øst Vest Midt Christiansfeld Vamdrup Lunderskov"),
        ),
        "Sundhedsområdet": (
            *_units("Sygeplejen", "Nord Syd Midt"),
            *_units("Genoptræningen", "Kolding Vamdrup"),
            *_units("Sundhedscenter", "Midt Christiansfeld Lunderskov"),
            *_units("Tandklinikken", "Brændkjær Bramdrup Vonsild"),
        ),
        "Dagtilbud": (
            *_units("Børnehaven", "Søstjernen Ådalen Skovtrolden Regnbuen Mariehønen Mælkevejen Troldhøj Nordstjernen"),
            *_units("Vuggestuen", "Mælkebøtten Spiren Kastanjen Bøgely"),
            *_units("Børnehuset", "Bakkegården Lupinvej Dalby Sjølund Vester-Nebel Almind"),
        ),
        "Skoleområdet": (
            *_units("Skolen", "Ålykke Bakke Brændkjær Bramdrup Dalby Eltang Fynslund Lyshøj Sdr-Bjert Vonsild Vamdrup"),
            *_units("SFO", "Ålykke Lyshøj Vonsild Vamdrup Bramdrup Dalby"),
            "PPR",
        ),
        "Socialområdet": (
            *_units("Botilbud", "Møllegården Søgården Bakkebo Nordstjernen"),
            *_units("Værestedet", "Kanten Skansen"),
            *_units("Aktivitetscenter", "Senhjerneskaden Spindegården Marielund Vesterbo"),
            "Familiehuset",
            "Krisecentret",
        ),
        "Arbejdsmarked": (
            *_units("Arbejdsmarkedscenter", "Nord Syd"),
            "Virksomhedsservice",
            "Sygedagpengehuset",
            "Fleksjobteamet",
        ),
        "Teknik-og-Miljø": (
            *_units("Materielgården", "Nord Syd"),
            *_units("Genbrugspladsen", "Øst Bronzevej Vamdrup"),
            "Park-og-Skov",
            "Vejafdelingen",
            "Ejendomsdrift",
            "Redning-og-Beredskab",
            "Havnen",
            "Kirkegårdene",
        ),
        "Kultur-og-Fritid": (
            *_units("Biblioteket", "Kolding Vamdrup Christiansfeld Lunderskov"),
            *_units("Svømmehallen", "Slotssø Vamdrup"),
            *_units("Hallen", "Bramdrup Dalby Vonsild Lunderskov"),
            "Musikskolen",
            "Koldinghus-Museet",
            "Stadsarkivet",
        ),
        "Borgerservice": ("Borgerservice-Midt", "Ydelseskontoret", "Kontrolgruppen"),
        "Rådhuset": (
            "Lønkontoret",
            "Økonomi",
            "HR-afdelingen",
            "IT-afdelingen",
            "Indkøb",
            "Kommunikation",
            "Byrådsservice",
            "Rådhusdrift",
        ),
        "Erhverv-og-Plan": ("Byplan", "Erhvervskontoret", "Klima-og-Natur", "Byggesager", "Digital-Plan"),
    },
)
VEJLE = Town(
    "630",
    "Vejle",
    {
        "Senior": _units("Plejecenter", "Sofiegården Skovbrynet Rosengården Bredballe Givelandet Børkop Jelling"),
        "Børn-og-Unge": (
            *_units("Børnehuset", "Grejsdalen Uhrhøj Nørremarken Søndermarken"),
            *_units("Skolen", "Bredagerskolen Kirkebakken Mølholm Petersmindeskolen Thyregod"),
        ),
        "Velfærd": (*_units("Botilbud", "Fjordbo Skansebakken Vestbyen"), "Sundhedshuset"),
        "Teknik": ("Materielgården", "Genbrugspladsen-Grejsbakke", "Skovene", "Ejendomme"),
        "Kultur": ("Biblioteket", "Musikskolen-Vejle", "Svømmehallen-Vejle"),
        "Administration": ("Løn-og-Personale", "Borgerservice", "Økonomi-og-Indkøb"),
    },
)
