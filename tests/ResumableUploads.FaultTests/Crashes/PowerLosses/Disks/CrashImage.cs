using System.Security.Cryptography;
using System.Text;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

/// <summary>The fate of an operation that was not durable at the power loss. Only the first two apply to names.</summary>
internal enum Fate
{
    Lost,
    There,

    /// <summary>Only the first half of the bytes is written.</summary>
    Torn,

    /// <summary>Only the length is written; new bytes are zeros.</summary>
    Zeros,

    /// <summary>Only the second half of the bytes is written; new bytes before it are zeros.</summary>
    Holed,
}

/// <summary>The content of a disk after a power loss: the files by path, with null for a directory.</summary>
internal sealed class CrashImage
{
    private readonly SortedDictionary<string, byte[]?> _found = new(StringComparer.Ordinal);
    private readonly Dictionary<int, byte[]> _contents = [];
    private readonly FileTree _tree = new();

    /// <summary>Creates an image. Operations before the prefix that are not in <paramref name="fates"/> are durable.</summary>
    public CrashImage(IReadOnlyList<DiskOperation> log, int prefix, IReadOnlyDictionary<int, Fate> fates)
    {
        for (int i = 0; i < prefix; i++)
        {
            Fate fate = fates.GetValueOrDefault(i, Fate.There);
            switch (log[i])
            {
                case EntryOperation entry when fate != Fate.Lost:
                    _tree.Apply(entry);
                    break;
                case Truncated truncated when fate != Fate.Lost:
                    _contents[truncated.Inode] = Resized(Content(truncated.Inode), truncated.Length);
                    break;
                case Written written when fate != Fate.Lost:
                    Write(written, fate);
                    break;
            }
        }

        Collect(FileTree.Root, "");
        Signature = Sign();
    }

    /// <summary>Gets a signature that is equal for disks with equal content.</summary>
    public string Signature { get; }

    public byte[]? this[string path] => _found[path];

    public IEnumerable<string> Paths => _found.Keys;

    /// <summary>Writes the image to a real directory, which must not exist yet.</summary>
    public void WriteTo(string directory)
    {
        Directory.CreateDirectory(directory);
        foreach ((string path, byte[]? content) in _found)
        {
            string full = Path.Combine(directory, path);
            if (content is null)
            {
                Directory.CreateDirectory(full);
            }
            else
            {
                File.WriteAllBytes(full, content);
            }
        }
    }

    private static byte[] Resized(byte[] bytes, int length)
    {
        Array.Resize(ref bytes, length);
        return bytes;
    }

    private byte[] Content(int inode) => _contents.GetValueOrDefault(inode, []);

    private void Write(Written written, Fate fate)
    {
        int half = written.Bytes.Length / 2;
        (int from, int to) = fate switch
        {
            Fate.Torn => (0, half),
            Fate.Zeros => (0, 0),
            Fate.Holed => (half, written.Bytes.Length),
            _ => (0, written.Bytes.Length),
        };
        int end = written.Offset + (fate == Fate.Zeros ? written.Bytes.Length : to);
        byte[] before = Content(written.Inode);
        byte[] after = [.. Resized(before, Math.Max(before.Length, end))];
        written.Bytes.AsSpan(from..to).CopyTo(after.AsSpan(written.Offset + from));
        _contents[written.Inode] = after;
    }

    private void Collect(int directory, string path)
    {
        foreach (string name in _tree.Names(directory))
        {
            int inode = _tree.Child(directory, name);
            string child = Path.Combine(path, name);
            bool isDirectory = _tree.IsDirectory(inode);
            _found.Add(child, isDirectory ? null : Content(inode));
            if (isDirectory)
            {
                Collect(inode, child);
            }
        }
    }

    private string Sign()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string path, byte[]? content) in _found)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{path}\n{content?.Length ?? -1}\n"));
            hash.AppendData(content ?? []);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
