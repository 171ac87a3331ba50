using ResumableUploads.Abstractions;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>How the owner of an upload was determined, which log messages contain instead of the owner.</summary>
internal static class OwnerKind
{
    /// <summary>Returns <c>user</c>, <c>owner</c> (by <see cref="ResumableUploadOptions.Owner"/>), <c>browser</c> (by a cookie) or <c>anonymous</c>.</summary>
    public static string Of(UploadKey key)
    {
        int end = key.Owner.IndexOf('-', StringComparison.Ordinal);
        return end < 0 ? key.Owner : key.Owner[..end];
    }
}
