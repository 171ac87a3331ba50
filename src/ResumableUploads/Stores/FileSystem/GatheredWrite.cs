using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem;

/// <summary>Writes many pieces of memory by one call of the system. The framework does that too, and makes lists for each call.</summary>
internal static unsafe class GatheredWrite
{
    private const int AtOnce = 64;

    /// <summary>Writes all of it, also where the system takes a part at a time.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySequence<byte> content, long offset, string path)
    {
        if (!Native.HasLongOffsets)
        {
            WriteEach(file, content, offset);
            return;
        }

        while (!content.IsEmpty)
        {
            nint written = WriteSome(file, content, offset);
            if (written <= 0)
            {
                // A call that writes nothing and names no error would be made for ever.
                throw written < 0 ? Native.Error("Writing", path) : new IOException($"Writing '{path}' at {offset} came to nothing.");
            }

            offset += written;
            content = content.Slice(written);
        }
    }

    private static void WriteEach(SafeFileHandle file, in ReadOnlySequence<byte> content, long offset)
    {
        foreach (ReadOnlyMemory<byte> segment in content)
        {
            RandomAccess.Write(file, segment.Span, offset);
            offset += segment.Length;
        }
    }

    private static nint WriteSome(SafeFileHandle file, in ReadOnlySequence<byte> content, long offset)
    {
        IoVector* vectors = stackalloc IoVector[AtOnce];
        Pins pins = default;
        int count = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> segment in content)
            {
                if (count == AtOnce)
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
                written = Native.WriteAt(file, vectors, count, offset);
            }
            while (written < 0 && Marshal.GetLastPInvokeError() == Native.Interrupted);

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

    [InlineArray(AtOnce)]
    private struct Pins
    {
        private MemoryHandle _first;
    }
}
