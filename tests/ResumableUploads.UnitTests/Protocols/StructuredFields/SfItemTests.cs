using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.UnitTests.Protocols.StructuredFields;

/// <summary>Items (RFC 9651, sections 3.3 and 4.2.3).</summary>
public class SfItemTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("00", 0)]
    [InlineData("-0", 0)]
    [InlineData("42", 42)]
    [InlineData("-42", -42)]
    [InlineData("007", 7)]
    [InlineData("  42  ", 42)]
    [InlineData("999999999999999", 999_999_999_999_999)]
    [InlineData("-999999999999999", -999_999_999_999_999)]
    [InlineData("1;a", 1)]
    [InlineData("1;a=1;b=?0;c=\"x\";d=:AA==:;e=tok/en;f=1.5;g=@12;h=%\"f%c3%bc\";*i=*", 1)]
    [InlineData("1;  a=2", 1)]
    [InlineData("1;a=2;a=3", 1)]
    [InlineData("1;a_b-c.d*=2  ", 1)]
    public void TryParseInteger_of_integer_returns_value(string text, long expected) => Assert.Equal((true, expected), (SfItem.TryParseInteger(text, out long value), value));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("-")]
    [InlineData("--1")]
    [InlineData("+1")]
    [InlineData("1 2")]
    [InlineData("1, 2")]
    [InlineData("1,")]
    [InlineData("0x1")]
    [InlineData("1e3")]
    [InlineData("1.0")]
    [InlineData("1000000000000000")]
    [InlineData("-1000000000000000")]
    [InlineData("\t1")]
    [InlineData("1\t")]
    [InlineData("1 ;a")]
    [InlineData("1;")]
    [InlineData("1;A")]
    [InlineData("1;a=")]
    [InlineData("1;a =2")]
    [InlineData("1;\ta")]
    [InlineData("1;1a")]
    [InlineData("1;a=(1 2)")]
    [InlineData("?1")]
    [InlineData("\"1\"")]
    [InlineData(":MQ==:")]
    [InlineData("one")]
    [InlineData("@1")]
    [InlineData("(1)")]
    [InlineData("\u0661")]
    [InlineData("1\0")]
    public void TryParseInteger_of_other_text_returns_false(string text) => Assert.Equal((false, 0), (SfItem.TryParseInteger(text, out long value), value));

    [Theory]
    [InlineData("?0", false)]
    [InlineData("?1", true)]
    [InlineData(" ?1 ", true)]
    [InlineData("?1;x=1", true)]
    [InlineData("?0;x", false)]
    public void TryParseBoolean_of_boolean_returns_value(string text, bool expected) => Assert.Equal((true, expected), (SfItem.TryParseBoolean(text, out bool value), value));

    [Theory]
    [InlineData("")]
    [InlineData("?")]
    [InlineData("?2")]
    [InlineData("?10")]
    [InlineData("?T")]
    [InlineData("1")]
    [InlineData("0")]
    [InlineData("true")]
    [InlineData("? 1")]
    [InlineData("?1, ?1")]
    [InlineData("?1;")]
    [InlineData("?1 x")]
    public void TryParseBoolean_of_other_text_returns_false(string text) => Assert.Equal((false, false), (SfItem.TryParseBoolean(text, out bool value), value));

    [Theory]
    [InlineData]
    [InlineData("?1", "?1")]
    [InlineData("?1", "")]
    [InlineData("", "?1")]
    [InlineData("?1;a=\"x", "y\"")]
    public void TryParseBoolean_of_missing_or_repeated_header_returns_false(params string[] lines) =>
        Assert.False(SfItem.TryParseBoolean(new StringValues(lines), out _));

    [Theory]
    [InlineData]
    [InlineData("1", "1")]
    [InlineData("1", "")]
    [InlineData("", "1")]
    [InlineData("1;a=\"x", "y\"")]
    public void TryParseInteger_of_missing_or_repeated_header_returns_false(params string[] lines) =>
        Assert.False(SfItem.TryParseInteger(new StringValues(lines), out _));

    [Fact]
    public void Parsing_random_text_does_not_throw()
    {
        const string Characters = "?10:;=\"\\@%()*,aZz-._ \t\0\u00e9/+~9";
        var random = new Random(5);
        int read = 0;
        for (int i = 0; i < 200_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Characters[random.Next(Characters.Length)]));
            read += SfItem.TryParseBoolean(text, out _) | SfItem.TryParseInteger(text, out _) | SfDictionary.TryParse(text, out _) ? 1 : 0;
        }

        Assert.InRange(read, 1000, 199_000);
    }
}
