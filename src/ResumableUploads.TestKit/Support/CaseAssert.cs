using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.TestKit.Support;

/// <summary>The assertions of the cases, so that the package depends on no test framework.</summary>
internal static class CaseAssert
{
    private const int MaxTextLength = 300;

    [DoesNotReturn]
    public static void Fail(string message) => throw new CheckFailedException(message);

    public static void True([DoesNotReturnIf(false)] bool condition, string message = "Expected true, got false.")
    {
        if (!condition)
        {
            Fail(message);
        }
    }

    public static void False(bool condition, string message = "Expected false, got true.") => True(!condition, message);

    public static void Equal(byte[] expected, byte[]? actual)
    {
        int same = expected.AsSpan().CommonPrefixLength(actual);
        True(
            actual is not null && same == expected.Length && same == actual.Length,
            $"Expected {expected.Length} bytes, got {actual?.Length.ToString() ?? "none"}; the first difference is at byte {same}.");
    }

    public static void Equal<T>(T expected, T actual)
    {
        if (expected is IEnumerable first and not string && actual is IEnumerable second)
        {
            Equal(first.Cast<object?>(), second.Cast<object?>());
            return;
        }

        True(EqualityComparer<T>.Default.Equals(expected, actual), $"Expected {Format(expected)}, got {Format(actual)}.");
    }

    public static void Equal<T>(IEnumerable<T> expected, IEnumerable<T> actual)
    {
        List<T> first = [.. expected];
        List<T> second = [.. actual];
        True(first.SequenceEqual(second), $"Expected [{string.Join(", ", first)}], got [{string.Join(", ", second)}].");
    }

    public static void Equal(DateTimeOffset expected, DateTimeOffset actual, TimeSpan precision) =>
        True((expected - actual).Duration() <= precision, $"Expected {expected:O} within {precision}, got {actual:O}.");

    public static void NotEqual<T>(T expected, T actual) =>
        False(EqualityComparer<T>.Default.Equals(expected, actual), $"Expected a value other than {Format(expected)}.");

    public static void Null<T>(T value) => True(value is null, $"Expected null, got {Format(value)}.");

    public static void NotNull<T>([NotNull] T value)
    {
        if (value is null)
        {
            Fail($"Expected a {typeof(T).Name}, got null.");
        }
    }

    public static T RequireNotNull<T>(T? value)
        where T : class
    {
        NotNull(value);
        return value;
    }

    public static void Empty(IEnumerable values) => Equal(0, values.Cast<object?>().Count());

    public static void NotEmpty(IEnumerable values) => NotEqual(0, values.Cast<object?>().Count());

    public static T Single<T>(IEnumerable<T> values, Func<T, bool> predicate)
    {
        List<T> found = [.. values.Where(predicate)];
        True(found.Count == 1, $"Expected exactly one, got {found.Count}: [{string.Join(", ", values)}].");
        return found[0];
    }

    public static void All<T>(IEnumerable<T> values, Action<T> check)
    {
        foreach (T value in values)
        {
            check(value);
        }
    }

    public static void Contains<T>(T actual, IEnumerable<T> values) =>
        True(values.Contains(actual), $"Expected one of [{string.Join(", ", values)}], got {Format(actual)}.");

    public static void InRange<T>(T value, T min, T max)
        where T : IComparable<T> =>
        True(value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0, $"Expected {min} to {max}, got {value}.");

    /// <summary>Fails unless the call throws the exception or one that derives from it.</summary>
    public static async Task ThrowsAsync<T>(Func<Task> call)
        where T : Exception
    {
        try
        {
            await call();
        }
        catch (T)
        {
            return;
        }
        catch (Exception e)
        {
            Fail($"Expected a {typeof(T).Name}, got a {e.GetType().Name}: {e.Message}");
        }

        Fail($"Expected a {typeof(T).Name}, but the call returned.");
    }

    private static string Format<T>(T value)
    {
        string text = value?.ToString() ?? "null";
        return text.Length > MaxTextLength ? text[..MaxTextLength] + "..." : text;
    }
}

internal sealed class CheckFailedException(string message) : Exception(message);
