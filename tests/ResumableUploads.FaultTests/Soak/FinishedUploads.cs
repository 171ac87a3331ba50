using System.Collections.Concurrent;
using System.Security.Cryptography;
using ResumableUploads.FaultTests.Network;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>Uploads whose clients were told that they are finished, and whose files are not compared yet.</summary>
internal sealed class FinishedUploads(UploadDirectory directory)
{
    private readonly ConcurrentQueue<(string Name, int Length, byte[] Hash)> _told = new();

    public void Add(string name, byte[] content) => _told.Enqueue((name, content.Length, SHA256.HashData(content)));

    /// <summary>While no process serves the directory: compares them, and removes them, for the disk is small.</summary>
    public void See()
    {
        while (_told.TryDequeue(out (string Name, int Length, byte[] Hash) upload))
        {
            // A client that never heard of its upload has made another one, and both may have come to their end.
            string[] files = Directory.Exists(directory.Finished) ? Directory.GetFiles(directory.Finished, Path.GetFileNameWithoutExtension(upload.Name) + "*") : [];
            if (files.Length == 0)
            {
                throw new NetworkFault($"{upload.Name}: its client was told that all {upload.Length} bytes are finished, and there is no file.");
            }

            foreach (string file in files)
            {
                byte[] bytes = File.ReadAllBytes(file);
                if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(upload.Hash))
                {
                    throw new NetworkFault($"{upload.Name}: the {bytes.Length} bytes of {Path.GetFileName(file)} are not the {upload.Length} that were sent.");
                }

                File.Delete(file);
            }
        }

        string quarantine = Path.Combine(directory.Root, "quarantine");
        if (Directory.Exists(quarantine) && Directory.GetFileSystemEntries(quarantine) is [var first, ..])
        {
            throw new NetworkFault($"A record is damaged: {first}");
        }
    }
}
