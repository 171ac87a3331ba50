using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem.Format;

/// <summary>The paths in a store. Every name is fixed, random, or a part of a key, whose characters are safe.</summary>
internal sealed class StorePaths(string root)
{
    public const string RecordFileName = "record.json";
    public const string DataExtension = ".data";

    // The names are fixed, because only the lock holder writes these files. The next holder deletes a file that a crash left behind.
    public const string TemporaryRecordFileName = "record.json.tmp";
    public const string NextRecordFileName = "record.json.next";
    public const string RepairedRecordFileName = "record.json.repaired";

    /// <summary>The file in which earlier builds stored responses.</summary>
    public const string LegacyResponseFileName = "outcome";

    private static readonly string[] CreationParentNames = [.. "0123456789abcdef".Select(char.ToString)];

    public string Root { get; } = root;

    public string Uploads { get; } = Path.Combine(root, "uploads");

    public string Temp { get; } = Path.Combine(root, "temp");

    public string Trash { get; } = Path.Combine(root, "trash");

    public string Quarantine { get; } = Path.Combine(root, "quarantine");

    /// <summary>Gets the directory with a directory for each running process, in which other processes leave their requests.</summary>
    public string Mailboxes { get; } = Path.Combine(root, "mailboxes");

    /// <summary>Gets the file whose modification time is the time of the storage.</summary>
    public string Clock { get; } = Path.Combine(root, "clock");

    public string SweepCheckpoint { get; } = Path.Combine(root, "sweep-place");

    public static string GetShardName(string id) => GetShard(id).ToString();

    public static string GetLockFileName(string nonce) => nonce + ".lock";

    /// <summary>Gets a new name for the file with a response. No other response ever has it.</summary>
    public static string CreateResponseFileName(string nonce) => $"{nonce}.{NonceGenerator.Next()}.outcome";

    public static bool IsDataFileName(string name) => name.EndsWith(DataExtension, StringComparison.Ordinal);

    /// <summary>
    /// Gets the directory in which an upload is created. Sixteen parent directories are used in turn, to reduce contention on the directory lock of the kernel.
    /// </summary>
    public string GetCreationDirectory(uint count, string nonce) => Path.Join([Temp, CreationParentNames[(int)(count % CreationParentNames.Length)], nonce]);

    /// <summary>Gets the directory of an upload that is being deleted, or is replacing another one.</summary>
    public string GetDetachedDirectory(UploadKey key, StoredRecord expected) => Path.Join(Temp, new DetachedName(key, expected.Nonce, expected.Generation).ToString());

    /// <summary>Returns whether a directory in <see cref="Temp"/> is the parent of creation directories.</summary>
    public static bool IsCreationParent(string name) => name.Length == 1;

    public string GetOwnerDirectory(string owner) => Path.Combine(Uploads, owner);

    public string GetShardDirectory(UploadKey key) => Path.Join(Uploads, key.Owner, GetShard(key.Id));

    public string GetRecordPath(UploadKey key) =>
        $"{Uploads}{Path.DirectorySeparatorChar}{key.Owner}{Path.DirectorySeparatorChar}{GetShard(key.Id)}{Path.DirectorySeparatorChar}{key.Id}{Path.DirectorySeparatorChar}{RecordFileName}";

    /// <summary>Gets a new path in <see cref="Quarantine"/>.</summary>
    public string GetQuarantineDirectory(UploadKey key) => Path.Combine(Quarantine, $"{key.Owner}.{key.Id}.{NonceGenerator.Next()}");

    public string GetUploadDirectory(UploadKey key) => Path.Join(Uploads, key.Owner, GetShard(key.Id), key.Id);

    private static ReadOnlySpan<char> GetShard(string id) => id.AsSpan(0, Math.Min(id.Length, 2));
}

/// <summary>The paths of the files of one upload. The names contain its nonce, so that they never belong to another upload with the same key.</summary>
internal sealed class UploadFilePaths(string directory, string nonce)
{
    public string Directory { get; } = directory;

    public string Nonce { get; } = nonce;

    // The paths are cached, because an operation uses each of them several times.
    public string DataPath => field ??= GetPath(StorePaths.DataExtension);

    public string DurableOffsetPath => field ??= GetPath(".mark");

    public string RecordPath => field ??= Path.Join(Directory, StorePaths.RecordFileName);

    public string LockPath => field ??= Path.Join(Directory, StorePaths.GetLockFileName(Nonce));

    /// <summary>Gets the path of the lock that is held while the content is copied out of the store.</summary>
    public string MoveLockPath => field ??= GetPath(".move");

    /// <summary>Gets the path of the response that an earlier build has stored.</summary>
    public string LegacyResponsePath => field ??= Path.Join(Directory, StorePaths.LegacyResponseFileName);

    /// <summary>Gets the path of the response that an earlier build has stored, while the upload is replaced.</summary>
    public string HiddenResponsePath => field ??= GetPath("." + StorePaths.LegacyResponseFileName);

    private string GetPath(string extension) => $"{Directory}{Path.DirectorySeparatorChar}{Nonce}{extension}";
}
