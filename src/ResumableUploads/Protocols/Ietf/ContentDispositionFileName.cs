using System.Text.RegularExpressions;
using Microsoft.Net.Http.Headers;

namespace ResumableUploads.Protocols.Ietf;

/// <summary>Reads the file name in <c>Content-Disposition</c> (<see href="https://www.rfc-editor.org/rfc/rfc6266#section-4.3">RFC 6266 section 4.3</see>).</summary>
internal static partial class ContentDispositionFileName
{
    /// <summary>Returns the file name, or null if the header has none. Like browsers, accepts blanks in a name without quotes.</summary>
    public static string? Get(string value)
    {
        if (!ContentDispositionHeaderValue.TryParse(value, out ContentDispositionHeaderValue? disposition)
            && !ContentDispositionHeaderValue.TryParse(UnquotedNameRegex().Replace(value, Quote), out disposition))
        {
            return null;
        }

        return disposition.FileNameStar.HasValue
            ? HeaderUtilities.RemoveQuotes(disposition.FileNameStar).ToString()
            : HeaderUtilities.UnescapeAsQuotedString(disposition.FileName).ToString();
    }

    private static string Quote(Match match) => $"{match.Groups["parameter"].Value}\"{match.Groups["name"].Value.Replace("\\", "\\\\", StringComparison.Ordinal)}\"";

    [GeneratedRegex("""(?<parameter>;\s*filename\s*=\s*)(?<name>[^"\s;][^";]*?)(?=\s*(;|$))""", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex UnquotedNameRegex();
}
