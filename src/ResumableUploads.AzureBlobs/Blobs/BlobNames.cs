using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>The names of the blobs of a store.</summary>
/// <remarks>
/// Both parts of a key consist of lowercase letters, digits and hyphens, so that a dot separates them, and no two keys have the same name. The name has one level, so that a listing
/// has the same order with and without a hierarchical namespace.
/// </remarks>
internal sealed class BlobNames(string prefix)
{
    public string UploadPrefix { get; } = $"{prefix}uploads/";

    public string SidePrefix { get; } = $"{prefix}side/";

    public string SweepCheckpoint { get; } = $"{prefix}sweep-checkpoint";

    /// <summary>Gets the name of the blob that a test of the storage writes and deletes. The next test deletes what a crash has left.</summary>
    public string HealthProbe { get; } = $"{prefix}health-check";

    public string Upload(UploadKey key) => $"{UploadPrefix}{key.Owner}.{key.Id}";

    public string UploadsOf(string owner) => $"{UploadPrefix}{owner}.";

    public string NewProbe() => $"{prefix}startup-check/{BlobRecord.NewId()}";

    /// <summary>Returns a new name for a side blob, without the prefix. The names of an upload are never used twice.</summary>
    public static string NewSideName(UploadKey key) => $"{key.Owner}.{key.Id}.{BlobRecord.NewId()}";

    public string Side(string sideName) => SidePrefix + sideName;

    public bool TryParseUpload(string name, out UploadKey key) => TryParse(name, UploadPrefix, parts: 2, out key);

    public bool TryParseSide(string name, out UploadKey key) => TryParse(name, SidePrefix, parts: 3, out key);

    private static bool TryParse(string name, string prefix, int parts, [NotNullWhen(true)] out UploadKey key)
    {
        key = default;
        string[] split = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..].Split('.') : [];
        if (split.Length != parts || !UploadKey.IsValidPart(split[0]) || !UploadKey.IsValidPart(split[1]))
        {
            return false;
        }

        key = new UploadKey(split[0], split[1]);
        return true;
    }
}
