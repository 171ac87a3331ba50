using System.Globalization;
using System.Text;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>How a body is sent.</summary>
/// <param name="Length">The number of bytes, or null for the rest of the upload.</param>
/// <param name="IsDeclared">Whether the length is declared.</param>
/// <param name="CutAfter">The number of bytes after which the connection breaks, or null.</param>
internal sealed record FuzzBody(int? Length, bool IsDeclared, int? CutAfter = null)
{
    public static readonly FuzzBody None = new(0, true);

    public override string ToString() => Length == 0 && IsDeclared ? "no body" : string.Create(
        CultureInfo.InvariantCulture,
        $"a body of {Length?.ToString(CultureInfo.InvariantCulture) ?? "the missing"} bytes{(IsDeclared ? "" : " in chunks")}{(CutAfter is { } cut ? $", cut after {cut}" : "")}");
}

/// <summary>
/// A request of a fuzzed set. Placeholders are replaced when it is sent, so that it keeps its meaning if earlier requests are left out:
/// <c>{offset}</c> and <c>{length}</c> of the upload, <c>{sha1}</c> of the body.
/// </summary>
/// <param name="Number">The index in the set.</param>
/// <param name="Method">The method.</param>
/// <param name="Target">The number of the request that created the upload, or one of the constants below.</param>
/// <param name="Headers">The names and values in order.</param>
/// <param name="Body">The body.</param>
internal sealed record FuzzRequest(int Number, string Method, int Target, IReadOnlyList<(string Name, string Value)> Headers, FuzzBody Body)
{
    /// <summary>The URL for creations.</summary>
    public const int Creation = -1;

    /// <summary>An upload that does not exist.</summary>
    public const int Unknown = -2;

    /// <summary>An invalid upload id.</summary>
    public const int Malformed = -3;

    /// <summary>The path for status requests only.</summary>
    public const int Status = -4;

    /// <summary>Gets the trailer after the body, or null.</summary>
    public string? Trailer { get; init; }

    public override string ToString()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Number,4}: {Method} "));
        text.Append(Target switch
        {
            Creation => "the creation URL",
            Unknown => "an unknown upload",
            Malformed => "a malformed upload",
            Status => "the status URL",
            _ => string.Create(CultureInfo.InvariantCulture, $"the upload of {Target}"),
        });
        foreach ((string name, string value) in Headers)
        {
            text.Append(" | ").Append(name).Append(": ").Append(System.Text.Json.JsonSerializer.Serialize(value));
        }

        return text.Append(" | ").Append(Body).Append(Trailer is null ? "" : $" | trailer {Trailer}").ToString();
    }
}
