using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.StructuredFields;

namespace ResumableUploads.UnitTests.Protocols.StructuredFields;

/// <summary>Dictionaries with every type of value (RFC 9651, sections 3.2 and 4.2.2).</summary>
public class SfDictionaryTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  ", "")]
    [InlineData("a=1", "a=Integer 1")]
    [InlineData("a", "a=Boolean 1")]
    [InlineData("a;x=1", "a=Boolean 1")]
    [InlineData("a=?0", "a=Boolean 0")]
    [InlineData("a=1,b=2", "a=Integer 1, b=Integer 2")]
    [InlineData("a=1 ,\tb=2 \t,  c", "a=Integer 1, b=Integer 2, c=Boolean 1")]
    [InlineData("a=1, b=2, a=3", "a=Integer 3, b=Integer 2")]
    [InlineData("a=1, a", "a=Boolean 1")]
    [InlineData("*=1", "*=Integer 1")]
    [InlineData("a-=1, *-=2", "a-=Integer 1, *-=Integer 2")]
    [InlineData("a=:AQID:", "a=ByteSequence 010203")]
    [InlineData("a=:AQI=:", "a=ByteSequence 0102")]
    [InlineData("a=:AQI:", "a=ByteSequence 0102")]
    [InlineData("a=::", "a=ByteSequence ")]
    [InlineData("a=:AQID:;x=\"y\"", "a=ByteSequence 010203")]
    [InlineData("a=1.5", "a=Other 0")]
    [InlineData("a=-123456789012.123", "a=Other 0")]
    [InlineData("a=\"\"", "a=Other 0")]
    [InlineData("a=\"q \\\" b \\\\ ,\"", "a=Other 0")]
    [InlineData("a=token", "a=Other 0")]
    [InlineData("a=*to/k:en!#$%&'*+-.^_`|~9", "a=Other 0")]
    [InlineData("a=@1659578233", "a=Other 0")]
    [InlineData("a=@-5", "a=Other 0")]
    [InlineData("a=%\"plain\"", "a=Other 0")]
    [InlineData("a=%\"f%c3%bc\"", "a=Other 0")]
    [InlineData("a=()", "a=Other 0")]
    [InlineData("a=( )", "a=Other 0")]
    [InlineData("a=(1 2  \"x\";y=1 );z, b=1", "a=Other 0, b=Integer 1")]
    public void TryParse_of_dictionary_returns_members(string text, string expected)
    {
        Assert.True(SfDictionary.TryParse(text, out OrderedDictionary<string, SfValue> members));
        Assert.Equal(expected, string.Join(", ", members.Select(static member =>
            $"{member.Key}={member.Value.Kind} {(member.Value.Bytes is { } bytes ? Convert.ToHexStringLower(bytes) : $"{member.Value.Number}")}")));
    }

    [Theory]
    [InlineData("a=")]
    [InlineData("=1")]
    [InlineData("A=1")]
    [InlineData("1a=1")]
    [InlineData("-=1")]
    [InlineData("-a=1")]
    [InlineData("_a=1")]
    [InlineData(".a=1")]
    [InlineData("a=1;-x=1")]
    [InlineData("a= 1")]
    [InlineData("a =1")]
    [InlineData("a=1,")]
    [InlineData("a=1, ")]
    [InlineData(",a=1")]
    [InlineData("a=1,,b=2")]
    [InlineData("a=1 b=2")]
    [InlineData("a=1;")]
    [InlineData("\ta=1")]
    [InlineData("a=:AQID")]
    [InlineData("a=:A:")]
    [InlineData("a=:AQ=D:")]
    [InlineData("a=:AQ ID:")]
    [InlineData("a=:AQ-_:")]
    [InlineData("a=1.")]
    [InlineData("a=.5")]
    [InlineData("a=1.1234")]
    [InlineData("a=1234567890123.1")]
    [InlineData("a=\"open")]
    [InlineData("a=\"bad \\n\"")]
    [InlineData("a=\"\u00e9\"")]
    [InlineData("a=\"tab\t\"")]
    [InlineData("a=@")]
    [InlineData("a=@1.5")]
    [InlineData("a=@x")]
    [InlineData("a=%plain")]
    [InlineData("a=%\"%C3%BC\"")]
    [InlineData("a=%\"%c3\"")]
    [InlineData("a=%\"%c\"")]
    [InlineData("a=%\"open")]
    [InlineData("a=(1")]
    [InlineData("a=(1,2)")]
    [InlineData("a=(1\"x\")")]
    [InlineData("a=(1))")]
    [InlineData("a={}")]
    public void TryParse_of_other_text_returns_false(string text) => Assert.False(SfDictionary.TryParse(text, out _));

    [Fact]
    public void TryParse_combines_several_lines()
    {
        Assert.True(SfDictionary.TryParse(new StringValues(["a=1", "b=2"]), out OrderedDictionary<string, SfValue> members));
        Assert.Equal(["a", "b"], members.Keys);
        Assert.True(SfDictionary.TryParse(StringValues.Empty, out members));
        Assert.Empty(members);
    }

    [Theory]
    [InlineData("sha-256=1", "sha-256")]
    [InlineData("sha-512=1", "sha-512")]
    [InlineData("sha-256=1, sha-512=2", "sha-512")]
    [InlineData("sha-512=10, sha-256=10", "sha-256")]
    [InlineData("md5=10, sha-256=1;q=x", "sha-256")]
    [InlineData("sha-256=0", null)]
    [InlineData("sha-256=-1", null)]
    [InlineData("sha-256=11", null)]
    [InlineData("sha-256=1.0", null)]
    [InlineData("sha-256", null)]
    [InlineData("sha-256=0, sha-512=1", "sha-512")]
    [InlineData("md5=5", null)]
    [InlineData("sha-256=1,", null)]
    [InlineData("", null)]
    public void GetPreferred_returns_supported_algorithm_with_highest_preference(string wish, string? expected) => Assert.Equal(expected, DigestHeaders.GetPreferred(wish)?.Name);
}
