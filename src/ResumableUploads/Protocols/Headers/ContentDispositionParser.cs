using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads.Protocols.Headers;

/// <summary>Parses <c>Content-Disposition</c>. Ignores parameters without a value, for which the properties of the parsed value throw.</summary>
internal static class ContentDispositionParser
{
    private static readonly (string Name, Func<ContentDispositionHeaderValue, StringSegment> Decode)[] EncodedParameters =
        [("name", static value => value.Name), ("filename", static value => value.FileName), ("filename*", static value => value.FileNameStar)];

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

        foreach ((string name, Func<ContentDispositionHeaderValue, StringSegment> decode) in EncodedParameters)
        {
            if (!IsDecodable(disposition, decode))
            {
                RemoveAll(disposition.Parameters, name);
            }
        }

        return true;
    }

    private static void RemoveAll(IList<NameValueHeaderValue> parameters, string name)
    {
        foreach (NameValueHeaderValue parameter in parameters.Where(parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            parameters.Remove(parameter);
        }
    }

    /// <summary>Returns whether a parameter can be decoded. The framework throws for a charset such as UTF-7, which the runtime refuses.</summary>
    private static bool IsDecodable(ContentDispositionHeaderValue value, Func<ContentDispositionHeaderValue, StringSegment> decode)
    {
        try
        {
            decode(value);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
