using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>Writes many pieces of memory by one call of the system. The framework does that too, and makes lists for each call.</summary>
internal static unsafe class GatherWriter
{
    private const int MaxSegments = 64;

    /// <summary>Writes all of it, also where the system takes a part at a time.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySequence<byte> content, long offset, string path)
    {
        if (!NativeMethods.Is64BitLinux)
        {
            WriteSegments(file, content, offset);
            return;
        }

        while (!content.IsEmpty)
        {
            nint written = WriteGathered(file, content, offset);
            if (written <= 0)
            {
                // A call that writes nothing and names no error would be made for ever.
                throw written < 0 ? NativeMethods.CreateException("Writing", path) : new IOException($"Writing '{path}' at {offset} came to nothing.");
            }

            offset += written;
            content = content.Slice(written);
        }
    }

    private static void WriteSegments(SafeFileHandle file, in ReadOnlySequence<byte> content, long offset)
    {
        foreach (ReadOnlyMemory<byte> segment in content)
        {
            RandomAccess.Write(file, segment.Span, offset);
            offset += segment.Length;
        }
    }

    private static nint WriteGathered(SafeFileHandle file, in ReadOnlySequence<byte> content, long offset)
    {
        IoVector* vectors = stackalloc IoVector[MaxSegments];
        MemoryHandles pins = default;
        int count = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> segment in content)
            {
                if (count == MaxSegments)
                {
                    break;
                }

                pins[count] = segment.Pin();
                vectors[count] = new IoVector { Start = (byte*)pins[count].Pointer, Length = segment.Length };
                count++;
            }

            nint written;
            do
            {
                written = NativeMethods.PWriteV(file, vectors, count, offset);
            }
            while (written < 0 && Marshal.GetLastPInvokeError() == NativeMethods.EINTR);

            return written;
        }
        finally
        {
            int error = Marshal.GetLastPInvokeError();
            for (int i = 0; i < count; i++)
            {
                pins[i].Dispose();
            }

            Marshal.SetLastPInvokeError(error);
        }
    }

    [InlineArray(MaxSegments)]
    private struct MemoryHandles
    {
        private MemoryHandle _first;
    }
}
