using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Diagnostics;

/// <summary>The short form of a key in traces and log messages: the first characters of its id, which is a hash.</summary>
internal static class ShortKey
{
    private const int Length = 8;

    public static string Of(UploadKey key) => key.Id.Length <= Length ? key.Id : key.Id[..Length];
}
