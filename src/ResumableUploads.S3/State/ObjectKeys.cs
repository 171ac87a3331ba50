using ResumableUploads.Abstractions;

namespace ResumableUploads.S3.State;

/// <summary>
/// The keys of objects: <c>state/OWNER/ID</c> for the state of an upload, and <c>data/OWNER/ID/NONCE/NAME</c> for everything else that belongs to it. The parts of
/// an upload key contain no slash, so that two uploads never share a key.
/// </summary>
internal sealed class ObjectKeys(string prefix)
{
    /// <summary>The begin of the names of objects that say which other upload may use the objects of a folder.</summary>
    public const string UsePrefix = "use/";

    public string States { get; } = prefix + "state/";

    public string Data { get; } = prefix + "data/";

    public string SweepCheckpoint { get; } = prefix + "sweep";

    /// <summary>Gets the key of the object that a test of the storage writes and deletes. The next test deletes what a crash has left.</summary>
    public string HealthProbe { get; } = prefix + "probe/health";

    public string CreateProbe() => $"{prefix}probe/{RandomName.Create()}";

    public string GetState(UploadKey key) => $"{States}{key.Owner}/{key.Id}";

    public string GetStates(string owner) => $"{States}{owner}/";

    public string GetFolder(string folder) => $"{Data}{folder}/";

    public string GetObject(string folder, string name) => $"{Data}{folder}/{name}";

    /// <summary>Returns the key of an object that says which other upload may use the objects of a folder.</summary>
    public string GetUse(string folder, string use) => $"{GetUses(folder)}{use}";

    public string GetUses(string folder) => $"{Data}{folder}/{UsePrefix}";

    /// <summary>Returns the upload to which a state object belongs, or <see langword="null"/> for other objects.</summary>
    public UploadKey? ParseState(string objectKey) => objectKey.StartsWith(States, StringComparison.Ordinal) ? Parse(objectKey[States.Length..]) : null;

    public static UploadKey? Parse(string path) =>
        path.Split('/') is [var owner, var id] && UploadKey.IsValidPart(owner) && UploadKey.IsValidPart(id) ? new UploadKey(owner, id) : null;

    /// <summary>Returns the folder and the name of an object of an upload, or <see langword="null"/> for other objects.</summary>
    public (string Folder, string Name)? ParseObject(string objectKey)
    {
        string[] parts = objectKey.StartsWith(Data, StringComparison.Ordinal) ? objectKey[Data.Length..].Split('/', 4) : [];
        return parts.Length == 4 && UploadKey.IsValidPart(parts[0]) && UploadKey.IsValidPart(parts[1]) ? ($"{parts[0]}/{parts[1]}/{parts[2]}", parts[3]) : null;
    }
}
