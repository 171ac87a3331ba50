using ResumableUploads.Abstractions;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Where things are. Every name comes from a key, whose characters are safe, or is random.</summary>
internal sealed class UploadPaths(string root)
{
    public const string Record = "record.json";

    // A fixed name: only the holder of the lock writes it, and the next holder replaces what a crash left. So it is never older than the record.
    public const string RecordTemporary = "record.json.tmp";
    public const string Outcome = "outcome";

    private static readonly string[] Workshops = [.. "0123456789abcdef".Select(char.ToString)];

    public string Root { get; } = root;

    public string Uploads { get; } = Path.Combine(root, "uploads");

    public string Temp { get; } = Path.Combine(root, "temp");

    public string Trash { get; } = Path.Combine(root, "trash");

    public string Quarantine { get; } = Path.Combine(root, "quarantine");

    public string SweepPlace { get; } = Path.Combine(root, "sweep-place");

    public static string ShardName(string id) => id.Length > 2 ? id[..2] : id;

    public static string LockName(string nonce) => nonce + ".lock";

    /// <summary>
    /// Where an upload is made before it gets its name: in one of sixteen directories, in turns, so that many creations do not wait for the lock of one.
    /// </summary>
    public string Aside(uint count, string nonce) => Path.Join([Temp, Workshops[(int)(count % Workshops.Length)], nonce]);

    /// <summary>Whether what has this name among the temporary things is such a directory, and no upload itself.</summary>
    public static bool IsWorkshop(string name) => name.Length == 1;

    public string Owner(string owner) => Path.Combine(Uploads, owner);

    public string Shard(UploadKey key) => Path.Combine(Uploads, key.Owner, ShardName(key.Id));

    public string RecordOf(UploadKey key) => Path.Join([Uploads, key.Owner, ShardName(key.Id), key.Id, Record]);

    public string Upload(UploadKey key) => Path.Combine(Uploads, key.Owner, ShardName(key.Id), key.Id);
}

/// <summary>The files of one upload. Their names carry its nonce, so that they never belong to another upload under the same key.</summary>
internal sealed class UploadFiles(string directory, string nonce)
{
    public string Directory { get; } = directory;

    public string Nonce { get; } = nonce;

    // Each is asked for several times while an upload is worked on.
    public string Data => field ??= Of(".data");

    public string Mark => field ??= Of(".mark");

    public string Lock => field ??= Path.Join(Directory, UploadPaths.LockName(Nonce));

    private string Of(string kind) => $"{Directory}{Path.DirectorySeparatorChar}{Nonce}{kind}";
}
