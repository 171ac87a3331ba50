using System.Globalization;
using System.Text.Json.Serialization;

namespace ResumableUploads.S3.State;

/// <summary>Consecutive segments of one append that have the same length.</summary>
/// <param name="Epoch">The epoch of the append, or -1 for the object that has the whole content.</param>
/// <param name="First">The number of the first segment in the append.</param>
/// <param name="Count">The number of segments.</param>
/// <param name="Length">The length of each segment, in bytes.</param>
/// <param name="Folder">The folder of the segments if they belong to another upload; otherwise <see langword="null"/>.</param>
internal sealed record SegmentRun(
    [property: JsonPropertyName("e")] int Epoch,
    [property: JsonPropertyName("n")] int First,
    [property: JsonPropertyName("c")] int Count,
    [property: JsonPropertyName("l")] long Length,
    [property: JsonPropertyName("f")] string? Folder = null)
{
    private const int ComposedEpoch = -1;

    /// <summary>The name of the object that has the whole content.</summary>
    public const string ComposedName = "content";

    [JsonIgnore]
    public long TotalLength => Count * Length;

    [JsonIgnore]
    public bool IsComposed => Epoch == ComposedEpoch;

    public static SegmentRun Composed(long length) => new(ComposedEpoch, 0, 1, length);

    /// <summary>Returns the name of a segment in its folder.</summary>
    public static string GetName(int epoch, int number) => epoch == ComposedEpoch ? ComposedName : $"{epoch:x8}-{number:x8}";

    /// <summary>Returns the epoch in the name of a segment, or <see langword="null"/> if it is the name of another object.</summary>
    public static int? ParseEpoch(string name) =>
        name.Length == 17 && name[8] == '-' && int.TryParse(name.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int epoch) ? epoch : null;

    /// <summary>Gets the names of the segments in their folder.</summary>
    public IEnumerable<string> GetNames() => Enumerable.Range(First, Count).Select(number => GetName(Epoch, number));

    /// <summary>Returns this run with another one at its end, or <see langword="null"/> if that is not a continuation.</summary>
    public SegmentRun? TryExtend(SegmentRun next) =>
        !IsComposed && next.Epoch == Epoch && next.Folder == Folder && next.Length == Length && next.First == First + Count ? this with { Count = Count + next.Count } : null;
}
