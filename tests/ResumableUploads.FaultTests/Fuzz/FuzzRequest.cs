using System.Globalization;
using System.Text;

namespace ResumableUploads.FaultTests.Fuzz;

/// <summary>How a body is sent.</summary>
/// <param name="Length">How many bytes; null: what is missing of the upload.</param>
/// <param name="IsDeclared">Whether its length is told before.</param>
/// <param name="CutAfter">After how many bytes the connection breaks, or null.</param>
internal sealed record FuzzBody(int? Length, bool IsDeclared, int? CutAfter = null)
{
    public static readonly FuzzBody None = new(0, true);

    public override string ToString() => Length == 0 && IsDeclared ? "no body" : string.Create(
        CultureInfo.InvariantCulture,
        $"a body of {Length?.ToString(CultureInfo.InvariantCulture) ?? "the missing"} bytes{(IsDeclared ? "" : " in chunks")}{(CutAfter is { } cut ? $", cut after {cut}" : "")}");
}

/// <summary>
/// One request of a fuzzed set, before it is sent. Values in braces are filled in then, so that a request means the same when those before it
/// are left out: <c>{offset}</c> and <c>{length}</c> of the upload, <c>{sha1}</c> of the body.
/// </summary>
/// <param name="Number">Its place in the set.</param>
/// <param name="Method">The method.</param>
/// <param name="Target">The number of the request that made the upload; or one of the others below.</param>
/// <param name="Headers">Names and values in their order.</param>
/// <param name="Body">The body.</param>
internal sealed record FuzzRequest(int Number, string Method, int Target, IReadOnlyList<(string Name, string Value)> Headers, FuzzBody Body)
{
    /// <summary>The URL where uploads are made.</summary>
    public const int Creation = -1;

    /// <summary>An upload that never was.</summary>
    public const int Unknown = -2;

    /// <summary>What cannot be the name of an upload.</summary>
    public const int Malformed = -3;

    /// <summary>The path where only the status is asked.</summary>
    public const int Status = -4;

    /// <summary>What comes behind the body, where it has a trailer.</summary>
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
