using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>Where things are. Every name comes from a key, whose characters are safe, or is random.</summary>
internal sealed class StorePaths(string root)
{
    public const string RecordFileName = "record.json";

    // A fixed name: only the holder of the lock writes it, and the next holder replaces what a crash left. So it is never older than the record.
    public const string TemporaryRecordFileName = "record.json.tmp";
    public const string ResponseFileName = "outcome";

    private static readonly string[] CreationDirectoryNames = [.. "0123456789abcdef".Select(char.ToString)];

    public string Root { get; } = root;

    public string Uploads { get; } = Path.Combine(root, "uploads");

    public string Temp { get; } = Path.Combine(root, "temp");

    public string Trash { get; } = Path.Combine(root, "trash");

    public string Quarantine { get; } = Path.Combine(root, "quarantine");

    public string SweepCheckpoint { get; } = Path.Combine(root, "sweep-place");

    public static string GetShardName(string id) => id.Length > 2 ? id[..2] : id;

    public static string GetLockFileName(string nonce) => nonce + ".lock";

    /// <summary>
    /// Where an upload is made before it gets its name: in one of sixteen directories, in turns, so that many creations do not wait for the lock of one.
    /// </summary>
    public string GetCreationDirectory(uint count, string nonce) => Path.Join([Temp, CreationDirectoryNames[(int)(count % CreationDirectoryNames.Length)], nonce]);

    /// <summary>Whether what has this name among the temporary things is such a directory, and no upload itself.</summary>
    public static bool IsCreationDirectory(string name) => name.Length == 1;

    public string GetOwnerDirectory(string owner) => Path.Combine(Uploads, owner);

    public string GetShardDirectory(UploadKey key) => Path.Combine(Uploads, key.Owner, GetShardName(key.Id));

    public string GetRecordPath(UploadKey key) => Path.Join([Uploads, key.Owner, GetShardName(key.Id), key.Id, RecordFileName]);

    public string GetUploadDirectory(UploadKey key) => Path.Combine(Uploads, key.Owner, GetShardName(key.Id), key.Id);
}

/// <summary>The files of one upload. Their names carry its nonce, so that they never belong to another upload under the same key.</summary>
internal sealed class UploadFilePaths(string directory, string nonce)
{
    public string Directory { get; } = directory;

    public string Nonce { get; } = nonce;

    // Each is asked for several times while an upload is worked on.
    public string DataPath => field ??= GetPath(".data");

    public string DurableOffsetPath => field ??= GetPath(".mark");

    public string LockPath => field ??= Path.Join(Directory, StorePaths.GetLockFileName(Nonce));

    private string GetPath(string kind) => $"{Directory}{Path.DirectorySeparatorChar}{Nonce}{kind}";
}
