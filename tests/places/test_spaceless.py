"""Places in texts without spaces: where a reader sees one, and nowhere else."""

import pytest

from trips_mcp.places.aliases import countries_in, hides, mentions, names_in, spaced


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ウィーン", "ウィーン"),
        ("ウィーンのホテル", "ウィーン"),
        ("ウィーン滞在", "ウィーン"),
        ("プラハ中央駅", "プラハ"),
        ("ベルリンからウィーンまで", "ベルリン ウィーン"),
        ("東京・京都の旅", "東京 京都"),
        ("東京から京都へ", "東京 京都"),
        ("東京都台東区谷中3-0-7", "東京"),  # Taitung has the same letters
        ("東京都庁", "東京"),
        ("京都旅行", "京都"),
        ("大阪府堺市", "大阪 堺市"),
        ("中国北京市", "中国 北京市"),
        ("北京上海之旅", "北京 上海"),
        ("维也纳之旅", "维也纳"),
        ("서울역에서 만나요", "서울"),
        ("ไปเชียงใหม่", "เชียงใหม่"),
        ("Hotel ウィーン, 2F", "ウィーン"),
        # words that only contain the letters of a place
        ("キリマンジャロ", ""),
        ("パリッシュ", ""),
        ("ローマ字", ""),
        ("日本語", ""),
        ("中国料理", ""),
        ("日本橋", ""),
        ("大津波", ""),
        ("부산물", ""),
        ("Road trip", ""),
        ("", ""),
    ],
)
def test_a_place_is_seen_where_a_reader_sees_it(text: str, names: str) -> None:
    assert " ".join(one.name for one in mentions(text)) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ウィーンのホテル", "ウィーン ホテル"),
        ("ウィーン市のホテル", "ウィーン ホテル"),
        ("京都旅行", "京都 旅行"),
        ("京都への旅", "京都 旅"),
        ("Vienna hotel", "vienna hotel"),
        ("清水寺", "清水寺"),
    ],
)
def test_a_query_is_spaced_around_its_places(text: str, said: str) -> None:
    assert spaced(text) == said


@pytest.mark.parametrize(
    ("text", "word", "is_hidden"),
    [
        ("東京都", "京都", True),
        ("東京都台東区", "京都", True),
        ("東京都と京都", "京都", False),
        ("京都の寺", "京都", False),
        ("東京都", "東京", False),
        ("東京都", "東京都", False),
        ("京都", "大阪", False),
        ("Kyoto", "to", False),
    ],
)
def test_the_letters_across_the_edge_of_a_place_are_no_other_place(text: str, word: str, is_hidden: bool) -> None:
    assert hides(text, word) is is_hidden


def test_all_names_of_the_places_are_known_in_parts_of_a_text_too() -> None:
    assert {"vienna", "wien", "prague", "praha"} <= names_in("ウィーンからプラハへ / 6月")
    assert countries_in("ウィーンからプラハへ") == ("Austria", "Czechia")
    assert countries_in("München, Wien") == ("Germany", "Austria")
    assert countries_in("Road trip") == ()
