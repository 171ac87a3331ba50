using System.Globalization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>
/// The name of a directory in <see cref="StorePaths.Temp"/>, to which an upload is renamed before it is deleted or replaces another one. Another process can delete
/// the upload before the rename, and create one with the same key: then the name is not that of the content.
/// </summary>
/// <param name="Key">The key of the upload.</param>
/// <param name="Nonce">The nonce of the upload that was expected.</param>
/// <param name="Generation">The generation of its record.</param>
internal readonly record struct DetachedName(UploadKey Key, string Nonce, long Generation)
{
    /// <summary>Parses the name of a directory. Returns null if it has another form.</summary>
    public static DetachedName? Parse(string name)
    {
        string[] parts = name.Split('.');
        string[] version = parts[^1].Split('-');
        return parts.Length == 3 && version.Length == 2 && UploadKey.IsValidPart(parts[0]) && UploadKey.IsValidPart(parts[1])
            && long.TryParse(version[1], NumberStyles.None, CultureInfo.InvariantCulture, out long generation)
            ? new DetachedName(new UploadKey(parts[0], parts[1]), version[0], generation)
            : null;
    }

    /// <summary>Returns whether a record belongs to the expected upload.</summary>
    public bool Matches(StoredRecord record) => (record.Nonce, record.Generation) == (Nonce, Generation);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Key.Owner}.{Key.Id}.{Nonce}-{Generation}");
}
