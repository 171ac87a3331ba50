using Microsoft.Extensions.Primitives;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.UnitTests.Protocols.Headers;

/// <summary>The header Prefer (RFC 7240).</summary>
public class ReturnPreferenceTests
{
    private const string Full = ReturnPreference.Representation;
    private const string Minimal = ReturnPreference.Minimal;

    [Theory]
    [InlineData("return=representation", Full)]
    [InlineData("return=minimal", Minimal)]
    [InlineData("Return=Representation", Full)]
    [InlineData(" return = representation ", Full)]
    [InlineData("return\t=\t\"representation\"", Full)]
    [InlineData("return=\"minimal\"", Minimal)]
    [InlineData("return=\"mini\\mal\"", Minimal)]
    [InlineData("return=representation; foo", Full)]
    [InlineData("return=representation;foo=\"a,b;return=minimal\"", Full)]
    [InlineData("a, return=\"representation\"; foo", Full)]
    [InlineData("respond-async, wait=10, return=minimal", Minimal)]
    [InlineData("a=\"x, return=minimal\", return=representation", Full)]
    [InlineData("a=\"\\\", return=minimal\", return=representation", Full)]
    [InlineData(", ,return=representation", Full)]
    [InlineData("return=minimal, return=representation", Minimal)]
    [InlineData("return=representation, return=minimal", Full)]
    [InlineData("return, return=representation", null)]
    [InlineData("return=\"\", return=representation", null)]
    [InlineData("return=other", null)]
    [InlineData("return=representations", null)]
    [InlineData("returns=representation", null)]
    [InlineData("handling=lenient; return=representation", null)]
    [InlineData("representation", null)]
    [InlineData("a=\"return=representation", null)]
    [InlineData("", null)]
    public void First_preference_applies_in_any_case_and_form(string header, string? preference) => Assert.Equal(preference, ReturnPreference.Parse(header));

    [Fact]
    public void Several_header_fields_are_one_list()
    {
        Assert.Null(ReturnPreference.Parse(StringValues.Empty));
        Assert.Equal(Minimal, ReturnPreference.Parse(new StringValues(["wait=1", "return=minimal", "return=representation"])));
    }
}
