using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads.Protocols.Headers;

/// <summary>Parses <c>Content-Disposition</c>. Ignores parameters without a value, for which the properties of the parsed value throw.</summary>
internal static class ContentDispositionParser
{
    public static bool TryParse(string? value, [NotNullWhen(true)] out ContentDispositionHeaderValue? disposition)
    {
        if (!ContentDispositionHeaderValue.TryParse(value, out disposition))
        {
            return false;
        }

        foreach (NameValueHeaderValue parameter in disposition.Parameters.Where(static parameter => StringSegment.IsNullOrEmpty(parameter.Value)).ToArray())
        {
            disposition.Parameters.Remove(parameter);
        }

        return true;
    }
}
