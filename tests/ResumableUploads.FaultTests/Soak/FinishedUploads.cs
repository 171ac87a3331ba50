using System.Collections.Concurrent;
using System.Security.Cryptography;
using ResumableUploads.FaultTests.Network;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Soak;

/// <summary>Uploads whose clients received the final response and whose files are not verified yet.</summary>
internal sealed class FinishedUploads(UploadDirectory directory)
{
    private readonly ConcurrentQueue<(string Name, int Length, byte[] Hash)> _uploads = new();

    public void Add(string name, byte[] content) => _uploads.Enqueue((name, content.Length, SHA256.HashData(content)));

    /// <summary>Verifies and deletes the files while no process serves the directory. They are deleted because the disk is small.</summary>
    public void Verify()
    {
        while (_uploads.TryDequeue(out (string Name, int Length, byte[] Hash) upload))
        {
            // A client that did not receive the creation response creates another upload, and both may complete.
            string[] files = Directory.Exists(directory.Finished) ? Directory.GetFiles(directory.Finished, Path.GetFileNameWithoutExtension(upload.Name) + "*") : [];
            if (files.Length == 0)
            {
                throw new NetworkTestException($"{upload.Name}: the client received the final response for all {upload.Length} bytes, but there is no file.");
            }

            foreach (string file in files)
            {
                byte[] bytes = File.ReadAllBytes(file);
                if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(upload.Hash))
                {
                    throw new NetworkTestException($"{upload.Name}: the {bytes.Length} bytes of {Path.GetFileName(file)} differ from the {upload.Length} that were sent.");
                }

                File.Delete(file);
            }
        }

        string quarantine = Path.Combine(directory.Root, "quarantine");
        if (Directory.Exists(quarantine) && Directory.GetFileSystemEntries(quarantine) is [var first, ..])
        {
            throw new NetworkTestException($"A record is damaged: {first}");
        }
    }
}
