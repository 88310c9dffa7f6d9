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
    """Codes, in which `_` stands for a space."""
    return tuple(f"{kind}_{name}" for name in names.split())


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
            *_units("Børnehuset", "Bakkegården Lupinvej Dalby Sjølund Vester_Nebel Almind"),
        ),
        "Skoleområdet": (
            *_units("Skolen", "Ålykke Bakke Brændkjær Bramdrup Dalby Eltang Fynslund Lyshøj Sdr_Bjert Vonsild Vamdrup"),
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
        "Teknik_og_Miljø": (
            *_units("Materielgården", "Nord Syd"),
            *_units("Genbrugspladsen", "Øst Bronzevej Vamdrup"),
            "Park_og_Skov",
            "Vejafdelingen",
            "Ejendomsdrift",
            "Redning_og_Beredskab",
            "Havnen",
            "Kirkegårdene",
        ),
        "Kultur_og_Fritid": (
            *_units("Biblioteket", "Kolding Vamdrup Christiansfeld Lunderskov"),
            *_units("Svømmehallen", "Slotssø Vamdrup"),
            *_units("Hallen", "Bramdrup Dalby Vonsild Lunderskov"),
            "Musikskolen",
            "Museet_Koldinghus",
            "Stadsarkivet",
        ),
        "Borgerservice": ("Borgerservice_Midt", "Ydelseskontoret", "Kontrolgruppen"),
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
        "Erhverv_og_Plan": ("Byplan", "Erhvervskontoret", "Klima_og_Natur", "Byggesager", "Digitalisering"),
    },
)
VEJLE = Town(
    "630",
    "Vejle",
    {
        "Senior": _units("Plejecenter", "Sofiegården Skovbrynet Rosengården Bredballe Givelandet Børkop Jelling"),
        "Børn_og_Unge": (
            *_units("Børnehuset", "Grejsdalen Uhrhøj Nørremarken Søndermarken"),
            *_units("Skolen", "Bredagerskolen Kirkebakken Mølholm Petersmindeskolen Thyregod"),
        ),
        "Velfærd": (*_units("Botilbud", "Fjordbo Skansebakken Vestbyen"), "Sundhedshuset"),
        "Teknik": ("Materielgården", "Genbrugspladsen_Grejsbakke", "Skovene", "Ejendomme"),
        "Kultur": ("Biblioteket", "Musikskolen_Vejle", "Svømmehallen_Vejle"),
        "Administration": ("Løn_og_Personale", "Borgerservice", "Økonomi_og_Indkøb"),
    },
)
TOWNS = (KOLDING, VEJLE)
