using System.Buffers;

namespace ResumableUploads.UnitTests.Stores.Memory;

/// <summary>A pool that overwrites returned arrays and reuses them at once, so that a use after the return is detected.</summary>
internal sealed class PoisonPool : ArrayPool<byte>
{
    public const byte Poison = 0xDD;

    private readonly Lock _lock = new();
    private readonly HashSet<byte[]> _rented = new(ReferenceEqualityComparer.Instance);
    private readonly List<byte[]> _returned = [];

    /// <summary>Gets the number of rented arrays.</summary>
    public int Rented
    {
        get
        {
            lock (_lock)
            {
                return _rented.Count;
            }
        }
    }

    /// <summary>Gets the total size, in bytes, of the rented arrays.</summary>
    public long RentedBytes
    {
        get
        {
            lock (_lock)
            {
                return _rented.Sum(array => (long)array.Length);
            }
        }
    }

    /// <summary>Gets the largest requested length.</summary>
    public int Largest { get; private set; }

    /// <summary>Gets the number of returned arrays that were not rented.</summary>
    public int FalseReturns { get; private set; }

    public override byte[] Rent(int minimumLength)
    {
        lock (_lock)
        {
            Largest = Math.Max(Largest, minimumLength);
            byte[] array = _returned.Find(candidate => candidate.Length == minimumLength) ?? new byte[minimumLength];
            _returned.Remove(array);
            _rented.Add(array);
            return array;
        }
    }

    public override void Return(byte[] array, bool clearArray = false)
    {
        lock (_lock)
        {
            if (!_rented.Remove(array))
            {
                FalseReturns++;
                return;
            }

            array.AsSpan().Fill(Poison);
            _returned.Add(array);
        }
    }
}
