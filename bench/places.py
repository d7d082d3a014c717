"""Where made-up people come from: names, cities, and phone numbers that are valid there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`share` is how often it is chosen. In `phone`, x is any digit."""

    country: str
    language: str
    timezone: str
    share: int
    phone: str
    postcode: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[str, ...]


def _place(
    codes: str, share: int, phone: str, postcode: str, first: str, last: str, cities: str
) -> Place:
    country, language, timezone = codes.split()
    return Place(
        country,
        language,
        timezone,
        share,
        phone,
        postcode,
        first_names=tuple(first.split()),
        last_names=tuple(last.split()),
        cities=tuple(cities.split(", ")),
    )


PLACES = (
    _place(
        "US en-US America/New_York",
        26,
        "+1 212 5xx-xxxx",
        "100xx",
        "James Mary Robert Linda Michael Susan David Karen William Nancy Joseph Betty Thomas "
        "Sandra Daniel Ashley Anthony Emily Mark Donna Steven Carol Kevin Amanda Brian Melissa",
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Lee "
        "Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill "
        "O'Brien McDonald Hall Baker Carter Mitchell Roberts Turner Phillips Campbell Parker Evans",
        "New York, Brooklyn, Albany, Buffalo, Rochester, Syracuse",
    ),
    _place(
        "DE de Europe/Berlin",
        13,
        "+49 1512 xxxxxxx",
        "1xxxx",
        "Jürgen Anna Günther Käthe Björn Mia Jörg Sophie Lukas Hannah Finn Emma Jonas Lena Leon "
        "Marie Paul Änne Felix Lea Maximilian Johanna Moritz Clara Sören Frieda",
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch "
        "Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann "
        "Hartmann Lange Schmitt Werner Krause Lehmann Köhler Maier Groß Weiß Jäger Böhm Vogel",
        "Berlin, Hamburg, München, Köln, Düsseldorf, Nürnberg, Lübeck, Würzburg",
    ),
    _place(
        "FR fr Europe/Paris",
        11,
        "+33 6 12 xx xx xx",
        "75xxx",
        "Éva Chloé François Zoé André Inès Jérôme Élodie Benoît Agnès Rémi Hélène Loïc Anaïs Gaël "
        "Maëlle Théo Camille Léa Hugo Manon Lucas Céline Stéphane Amélie Étienne",
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent "
        "Lefèvre Michel García David Bertrand Roux Vincent Fournier Morel Girard André Mercier "
        "Dupont Lambert Bonnet François Martínez Legrand Garnier Faure Rousseau Gauthier Lévêque",
        "Paris, Lyon, Marseille, Besançon, Nîmes, Orléans, Saint-Étienne",
    ),
    _place(
        "ES es Europe/Madrid",
        8,
        "+34 612 xxx xxx",
        "28xxx",
        "José María Jesús Lucía Ángel Sofía Andrés Inés Óscar Begoña Íñigo Martín Paula Álvaro "
        "Noelia Rubén Nuria Adrián Belén Hugo Carmen Iván Rocío Raúl Pilar",
        "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez "
        "Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez "
        "Vázquez Ramos Gil Ramírez Serrano Blanco Molina Núñez Ibáñez Peña",
        "Madrid, Málaga, Córdoba, A Coruña, León, Cádiz",
    ),
    _place(
        "PL pl Europe/Warsaw",
        6,
        "+48 512 xxx xxx",
        "00-xxx",
        "Łukasz Zofia Paweł Małgorzata Michał Agnieszka Stanisław Żaneta Wojciech Katarzyna Piotr "
        "Ewa Rafał Grażyna Bartłomiej Bożena Jan Oliwia",
        "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański "
        "Woźniak Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Krawczyk Piotrowski Grabowski "
        "Pawłowski Michalski Król Wróbel Jabłoński Głowacki",
        "Warszawa, Kraków, Łódź, Wrocław, Poznań, Gdańsk",
    ),
    _place(
        "SE sv Europe/Stockholm",
        5,
        "+46 70 xxx xx xx",
        "11x xx",
        "Åsa Björn Märta Göran Örjan Lovisa Håkan Elsa Anders Freja Mårten Astrid Nils Märit Sven "
        "Linnéa Johan Alva",
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson "
        "Pettersson Jonsson Lindström Lindqvist Bergström Sjöberg Åkesson Öberg Nyström Holmström",
        "Stockholm, Göteborg, Malmö, Västerås, Örebro, Linköping",
    ),
    _place(
        "TR tr Europe/Istanbul",
        5,
        "+90 532 xxx xx xx",
        "34xxx",
        "Mehmet Ayşe Çağrı Şule Gökhan Elif Özgür Zeynep İbrahim Fatma Uğur Büşra Emre Gülşen",
        "Yılmaz Kaya Demir Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç "
        "Çetin Koç Kurt Özkan Şimşek",
        "İstanbul, Ankara, İzmir, Eskişehir, Muğla",
    ),
    _place(
        "BR pt-BR America/Sao_Paulo",
        8,
        "+55 11 98xxx-xxxx",
        "01xxx-000",
        "João Conceição Antônio Márcia Luís Patrícia Sérgio Júlia César Letícia Fábio Cecília "
        "Vinícius Mônica Thiago Débora Caio Lívia",
        "Silva Santos Oliveira Souza Rodrigues Ferreira Alves Pereira Lima Gomes Ribeiro Carvalho "
        "Almeida Lopes Araújo Gonçalves Simões Magalhães Guimarães Conceição Antunes Falcão",
        "São Paulo, Brasília, Goiânia, Belém, Maceió, Niterói",
    ),
    _place(
        "VN vi Asia/Ho_Chi_Minh",
        4,
        "+84 912 xxx xxx",
        "7xxxxx",
        "Anh Bình Châu Dũng Hà Hương Khánh Lan Minh Ngọc Phương Quốc Thảo Tuấn Yến Đức",
        "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý",
        "Hà Nội, Đà Nẵng, Huế, Cần Thơ",
    ),
    _place(
        "GR el Europe/Athens",
        3,
        "+30 691 xxx xxxx",
        "11x xx",
        "Γιώργος Μαρία Δημήτρης Ελένη Νίκος Σοφία Κώστας Κατερίνα Γιάννης Βασιλική",
        "Παπαδόπουλος Παππάς Καραγιάννης Βλάχος Ιωαννίδης Οικονόμου Γεωργίου Δημητρίου Αντωνίου "
        "Χριστοδούλου",
        "Αθήνα, Θεσσαλονίκη, Πάτρα",
    ),
    _place(
        "JP ja Asia/Tokyo",
        6,
        "+81 90-1xxx-xxxx",
        "10x-00xx",
        "陽菜 蓮 結衣 大翔 さくら 翔太 美咲 健太 愛 拓也 優子 直樹 葵 悠真",
        "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上",
        "東京, 大阪, 名古屋, 札幌",
    ),
    _place(
        "IN hi Asia/Kolkata",
        5,
        "+91 98xxx xxxxx",
        "1100xx",
        "Aarav Diya Vihaan Ananya Arjun Ishita Rohan Kavya Aditya Meera Vikram Priya Sanjay "
        "Lakshmi",
        "Sharma Verma Gupta Singh Kumar Patel Reddy Nair Iyer Mehta Joshi Desai Rao Chatterjee "
        "Mukherjee Kapoor Malhotra Bose",
        "Delhi, Mumbai, Pune, Kolkata",
    ),
)
